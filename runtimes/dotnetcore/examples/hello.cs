using Kubeless.Functions;

public class hello
{
	public object handler(Event k8Event, Context k8Context)
	{
		return "hello world";
	}
}
