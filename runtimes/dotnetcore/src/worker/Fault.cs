using System;

namespace Kubeless.Worker
{
	/// <summary>An end of a call that has a code of its own (PROTOCOL 4.6).</summary>
	internal sealed class Fault : Exception
	{
		internal string Code { get; }

		internal Fault(string code, string message) : base(message)
		{
			Code = code;
		}

		internal static Fault Invalid(string message) => new Fault("RESULT_INVALID", message);

		internal static Fault Cancelled() => new Fault("CANCELLED", "cancelled");
	}
}
