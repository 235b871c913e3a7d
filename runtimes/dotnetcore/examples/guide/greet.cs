using System.Text.Json;
using Kubeless.Functions;

public class greet
{
	public object handler(Event k8Event, Context k8Context)
	{
		var caller = JsonDocument.Parse(k8Event.Data.ToString()).RootElement;
		return new { hello = caller.GetProperty("name").GetString() };
	}
}
