using System.Collections.Generic;
using Kubeless.Worker;
using Microsoft.AspNetCore.Http;

namespace Kubeless.Functions
{
	/// <summary>The HTTP request and response behind an event, made when they are first asked for, and the attributes of a CloudEvent.</summary>
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

		/// <summary>Its status and headers go with whatever the handler returns; a body written to it is sent as it is written.</summary>
		public HttpResponse HttpResponse => HttpRequest.HttpContext.Response;

		/// <summary>The attributes of a CloudEvent, by name.</summary>
		public IReadOnlyDictionary<string, string> Attributes => call?.Extensions ?? None;

		/// <summary>An attribute of a CloudEvent; null where it has none of this name.</summary>
		public string this[string name] => Attributes.TryGetValue(name, out var value) ? value : null;
	}
}
