using System.Threading;
using Kubeless.Worker;

namespace Kubeless.Functions
{
	/// <summary>The settings that a function runs with.</summary>
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

		/// <summary>FUNC_TIMEOUT, in seconds.</summary>
		public string Timeout { get; }

		public string Runtime { get; }

		/// <summary>A quantity of Kubernetes, such as 128Mi; "0" without a limit.</summary>
		public string MemoryLimit { get; }

		/// <summary>Cancelled when the caller goes away, and when FUNC_TIMEOUT is over.</summary>
		public CancellationToken CancellationToken => call?.Cancellation ?? CancellationToken.None;
	}
}
