using System.IO;
using System.Text;
using Kubeless.Functions;

public class request
{
	public object h(Event k8Event, Context k8Context)
	{
		var request = k8Event.Extensions.HttpRequest;
		var body = new StreamReader(request.Body).ReadToEnd();
		if (k8Event.Data.ToString() != Encoding.UTF8.GetString(k8Event.Bytes)) return "two bodies";
		return new { data = k8Event.Data, type = request.ContentType, body, length = request.ContentLength.ToString() };
	}
}
