using Kubeless.Functions;

public class data
{
	public object handler(Event k8Event, Context k8Context) => k8Event.Data;
}
