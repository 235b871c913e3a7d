using System.Collections.Generic;
using Kubeless.Worker;
using Microsoft.AspNetCore.Http;

namespace Kubeless.Functions
{
	/// <summary>The HTTP request and response of a call, and the attributes of a CloudEvent.</summary>
	public class Extensions
	{
		private static readonly Dictionary<string, string> None = new Dictionary<string, string>();

		private readonly Call call;
		private readonly HttpRequest request;

		public Extensions(HttpRequest httpRequest)
		{
			request = httpRequest;
		}

		internal Extensions(Call call)
		{
			this.call = call;
		}

		public HttpRequest HttpRequest => request ?? call.Exchange.Context.Request;

		/// <summary>
		/// Status and headers apply to whatever the handler returns. A body that is written to it is sent
		/// at once, in place of what the handler returns.
		/// </summary>
		public HttpResponse HttpResponse => HttpRequest.HttpContext.Response;

		/// <summary>The attributes of a CloudEvent, by name.</summary>
		public IReadOnlyDictionary<string, string> Attributes => call?.Message.Extensions ?? None;

		/// <summary>An attribute of a CloudEvent; null if the event does not have it.</summary>
		public string this[string name] => Attributes.TryGetValue(name, out var value) ? value : null;
	}
}
