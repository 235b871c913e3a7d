using System.Threading;
using Kubeless.Worker;

namespace Kubeless.Functions
{
	/// <summary>What a function may know of itself, as its environment says it.</summary>
	public class Context
	{
		private readonly Call call;

		public Context(string moduleName, string functionName, string functionPort, string timeout, string runtime, string memoryLimit)
		{
			ModuleName = moduleName;
			FunctionName = functionName;
			FunctionPort = functionPort;
			Timeout = timeout;
			Runtime = runtime;
			MemoryLimit = memoryLimit;
		}

		internal Context(Context common, Call call)
			: this(common.ModuleName, common.FunctionName, common.FunctionPort, common.Timeout, common.Runtime, common.MemoryLimit)
		{
			this.call = call;
		}

		public string ModuleName { get; }
		public string FunctionName { get; }
		public string FunctionPort { get; }

		/// <summary>Seconds.</summary>
		public string Timeout { get; }

		public string Runtime { get; }

		/// <summary>As Kubernetes writes it; "0" where there is no limit.</summary>
		public string MemoryLimit { get; }

		/// <summary>Cancelled when nobody waits for the answer any more: the caller has gone, or the time is over.</summary>
		public CancellationToken CancellationToken => call?.Cancellation ?? CancellationToken.None;
	}
}
