using System;

namespace Kubeless.Worker
{
	/// <summary>Ends a call with an <c>error</c> frame that has a code of its own (PROTOCOL
	/// 4.6).</summary>
	internal sealed class CallError : Exception
	{
		internal string Code { get; }

		private CallError(string code, string message) : base(message)
		{
			Code = code;
		}

		internal static CallError Malformed(string reason) =>
			new CallError("BODY_MALFORMED", "the request body is not valid JSON: " + reason);

		internal static CallError Invalid(string message) => new CallError("RESULT_INVALID", message);

		internal static CallError Cancelled() => new CallError("CANCELLED", "cancelled");
	}
}
