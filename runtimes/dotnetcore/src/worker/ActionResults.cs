using System.IO;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.Net.Http.Headers;

namespace Kubeless.Worker
{
	/// <summary>
	/// Results of ASP.NET Core's controllers. Their assemblies are loaded only for a function that
	/// returns one.
	/// </summary>
	internal static class ActionResults
	{
		internal static bool Is(object value) => value != null && ResultType.Of(value).IsActionResult;

		/// <summary>Sets the response's status and headers, and returns the value of its body.</summary>
		internal static object Apply(Exchange exchange, object value)
		{
			var response = exchange.Context.Response;
			if (value is IConvertToActionResult typed) value = typed.Convert();
			switch (value)
			{
				case ObjectResult result:
					response.StatusCode = result.StatusCode ?? response.StatusCode;
					if (result is CreatedResult created) response.Headers[HeaderNames.Location] = created.Location;
					if (result.ContentTypes.Count > 0) response.ContentType = result.ContentTypes[0];
					return result.Value;
				case JsonResult result:
					response.StatusCode = result.StatusCode ?? response.StatusCode;
					response.ContentType = result.ContentType ?? "application/json; charset=utf-8";
					return ResultBody.JsonBytes(result.Value);
				case ContentResult result:
					response.StatusCode = result.StatusCode ?? response.StatusCode;
					if (result.ContentType != null) response.ContentType = result.ContentType;
					return result.Content;
				case FileContentResult result:
					SetFileHeaders(exchange, result);
					return result.FileContents;
				case FileStreamResult result:
					SetFileHeaders(exchange, result);
					return result.FileStream;
				case PhysicalFileResult result:
					SetFileHeaders(exchange, result);
					return File.OpenRead(result.FileName);
				case StatusCodeResult result:
					response.StatusCode = result.StatusCode;
					return null;
				case RedirectResult result:
					response.StatusCode = result.PreserveMethod ? (result.Permanent ? 308 : 307) : result.Permanent ? 301 : 302;
					response.Headers[HeaderNames.Location] = result.Url;
					return null;
				case EmptyResult _:
					return null;
				default:
					throw CallError.Invalid($"the handler returned a {value.GetType()}, which only a controller can send: return its value, "
						+ "and set status and headers on Extensions.HttpResponse");
			}
		}

		private static void SetFileHeaders(Exchange exchange, FileResult result)
		{
			var response = exchange.Context.Response;
			response.ContentType = result.ContentType;
			if (string.IsNullOrEmpty(result.FileDownloadName)) return;
			var disposition = new ContentDispositionHeaderValue("attachment");
			disposition.SetHttpFileName(result.FileDownloadName);
			response.Headers[HeaderNames.ContentDisposition] = disposition.ToString();
		}
	}
}
