using Kubeless.Functions;

public class create
{
	public object handler(Event k8Event, Context k8Context)
	{
		var response = k8Event.Extensions.HttpResponse;
		response.StatusCode = 201;
		response.Headers["Location"] = "/orders/7";
		return "created\n";
	}
}
