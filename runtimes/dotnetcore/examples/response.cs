using System.Threading.Tasks;
using Kubeless.Functions;

public class response
{
	/// <summary>Answers 404 with a header of its own, and JSON.</summary>
	public async Task<object> handler(Event k8Event, Context k8Context)
	{
		await Task.Yield();
		k8Event.Extensions.HttpResponse.StatusCode = 404;
		k8Event.Extensions.HttpResponse.Headers["X-Why"] = "gone";
		return new { Path = k8Event.Extensions.HttpRequest.Path.Value };
	}
}
