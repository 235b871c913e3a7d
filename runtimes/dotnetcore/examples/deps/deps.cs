using Kubeless.Functions;
using Words;

public class deps
{
	public object handler(Event k8Event, Context k8Context) => Greeting.For(k8Event.Data.ToString());
}
