using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Kubeless.Worker
{
	/// <summary>
	/// A call as an HttpContext of ASP.NET Core. It is made when a function first uses it; its headers
	/// are parsed when they are first read.
	/// </summary>
	internal sealed class Exchange : IHttpRequestFeature, IHttpResponseFeature, IHttpConnectionFeature, IHttpRequestLifetimeFeature
	{
		/// <summary>PROTOCOL 2.3; the rest is for a Content-Length line.</summary>
		private const int MaxHeadBytes = (1 << 20) - 64;

		private readonly Call call;
		private readonly ResponseStream written;
		private readonly IHttpResponseBodyFeature body;
		private readonly List<(Func<object, Task>, object)> starting = new List<(Func<object, Task>, object)>();
		private readonly List<(Func<object, Task>, object)> completed = new List<(Func<object, Task>, object)>();
		private IHeaderDictionary requestHeaders;
		private int status = 200;
		private bool started;

		internal Exchange(Call call)
		{
			this.call = call;
			written = new ResponseStream(call, this);
			body = new StreamResponseBodyFeature(written);
			var message = call.Message;
			Method = message.Method;
			Path = Decoded(message.Path.StartsWith("/", StringComparison.Ordinal) ? message.Path : "/" + message.Path);
			QueryString = message.Query == null ? "" : "?" + message.Query;
			RawTarget = message.Path + QueryString;
			Body = new MemoryStream(message.Body ?? Array.Empty<byte>(), writable: false);
			IPAddress.TryParse(message.Address ?? "", out var address);
			RemoteIpAddress = address;
			var features = new FeatureCollection();
			features.Set<IHttpRequestFeature>(this);
			features.Set<IHttpResponseFeature>(this);
			features.Set(body);
			features.Set<IHttpConnectionFeature>(this);
			features.Set<IHttpRequestLifetimeFeature>(this);
			Context = new DefaultHttpContext(features);
		}

		internal HttpContext Context { get; }

		// ---- the request

		public string Protocol { get; set; } = "HTTP/1.1";
		public string Scheme { get; set; } = "http";
		public string Method { get; set; }
		public string PathBase { get; set; } = "";
		public string Path { get; set; }
		public string QueryString { get; set; }
		public string RawTarget { get; set; }
		public Stream Body { get; set; }

		IHeaderDictionary IHttpRequestFeature.Headers
		{
			get => requestHeaders ??= Parsed(call.Message.Head);
			set => requestHeaders = value;
		}

		/// <summary>Decodes a path as ASP.NET Core does: everything but %2F, which would change the
		/// path's segments.</summary>
		private static string Decoded(string path) =>
			path.IndexOf('%') < 0 ? path : Uri.UnescapeDataString(path.Replace("%2F", "%252F").Replace("%2f", "%252f"));

		private static IHeaderDictionary Parsed(byte[] head)
		{
			var headers = new HeaderDictionary();
			foreach (var line in Encoding.GetEncoding("ISO-8859-1").GetString(head).Split("\r\n"))
			{
				var colon = line.IndexOf(':');
				if (colon <= 0) continue;
				var name = line.Substring(0, colon);
				headers.TryGetValue(name, out var before);
				headers[name] = StringValues.Concat(before, line.Substring(colon + 1).Trim());
			}
			return headers;
		}

		public string ConnectionId { get; set; } = "";
		public IPAddress RemoteIpAddress { get; set; }
		public IPAddress LocalIpAddress { get; set; }
		public int RemotePort { get; set; }
		public int LocalPort { get; set; }

		public CancellationToken RequestAborted
		{
			get => call.Cancellation;
			set => throw new NotSupportedException("RequestAborted cannot be set.");
		}

		/// <summary>Ends the call without a complete answer.</summary>
		public void Abort() => throw new InvalidOperationException("The function aborted the request.");

		// ---- the response

		public int StatusCode
		{
			get => status;
			set
			{
				if (started) throw new InvalidOperationException("The status cannot be set, the response has already started.");
				status = value;
			}
		}

		public string ReasonPhrase { get; set; }

		IHeaderDictionary IHttpResponseFeature.Headers { get; set; } = new HeaderDictionary();

		Stream IHttpResponseFeature.Body
		{
			get => body.Stream;
			set => throw new NotSupportedException("The response's body cannot be replaced.");
		}

		public bool HasStarted => started;

		public void OnStarting(Func<object, Task> callback, object state) => starting.Add((callback, state));

		public void OnCompleted(Func<object, Task> callback, object state) => completed.Add((callback, state));

		// ---- the answer

		internal bool HasStartingCallbacks => starting.Count > 0;

		/// <summary>Runs the OnStarting callbacks, the last one first.</summary>
		internal async Task Starting()
		{
			for (var at = starting.Count - 1; at >= 0; at--) await starting[at].Item1(starting[at].Item2).ConfigureAwait(false);
			starting.Clear();
		}

		internal void Start() => started = true;

		internal int Status => status >= 200 && status <= 999 ? status
			: throw CallError.Invalid($"the function set the status {status}: use 200 to 999");

		/// <summary>Returns the header lines, one character a byte (PROTOCOL 2.5).</summary>
		/// <param name="type">the content type if the function has set none; null: none</param>
		/// <param name="withoutLength">leave out a Content-Length, which others set</param>
		/// <exception cref="CallError">RESULT_INVALID</exception>
		internal string Head(string type, bool withoutLength)
		{
			var head = new StringBuilder();
			var headers = Context.Response.Headers;
			if (type != null && !headers.ContainsKey("Content-Type")) head.Append("Content-Type: ").Append(type).Append("\r\n");
			foreach (var header in headers)
			{
				if (withoutLength && string.Equals(header.Key, "Content-Length", StringComparison.OrdinalIgnoreCase)) continue;
				foreach (var value in header.Value)
				{
					var line = header.Key + ": " + value;
					if (line.IndexOfAny(new[] { '\r', '\n', '\0' }) >= 0) throw CallError.Invalid("the function set a header that cannot be sent: " + line);
					head.Append(Latin(line)).Append("\r\n");
				}
			}
			if (head.Length > MaxHeadBytes) throw CallError.Invalid($"the function set {head.Length} bytes of headers: the limit is {MaxHeadBytes}");
			return head.ToString();
		}

		/// <summary>Returns the bytes of the UTF-8 as characters if ISO-8859-1 cannot hold the
		/// text.</summary>
		private static string Latin(string text)
		{
			foreach (var c in text)
			{
				if (c > 0xff) return Encoding.GetEncoding("ISO-8859-1").GetString(Utf8.Bytes(text));
			}
			return text;
		}

		/// <summary>Sends what the function has written and not flushed.</summary>
		internal Task CompleteAsync() => body.CompleteAsync();

		/// <summary>Runs the OnCompleted callbacks, the last one first.</summary>
		internal async Task Completed()
		{
			for (var at = completed.Count - 1; at >= 0; at--)
			{
				try
				{
					await completed[at].Item1(completed[at].Item2).ConfigureAwait(false);
				}
				catch (Exception error)
				{
					Console.Error.WriteLine(error);
				}
			}
		}
	}
}
