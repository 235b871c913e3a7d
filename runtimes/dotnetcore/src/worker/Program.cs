using System;
using System.Reflection;
using System.Threading;
using Kubeless.Functions;

[assembly: AssemblyVersion("1.0.0.0")]

namespace Kubeless.Worker
{
	/// <summary>
	/// The .NET worker: holds one function and calls it (runtimes/PROTOCOL.md). Its parts are
	/// described in runtimes/ANATOMY.md. start.sh starts it with the function's assembly, or with
	/// <c>--failed OUTPUT</c> if the compiler found errors.
	/// </summary>
	internal static class Program
	{
		private const int DefaultConcurrency = 100;
		/// <summary>Threads that .NET's pool makes without a delay, at most.</summary>
		private const int MaxPoolThreads = 1000;

		private static int Main(string[] args)
		{
			var wire = new Wire();
			Output.Redirect(wire);
			Handler handler;
			try
			{
				if (args[0] == "--failed") throw LoadError.NotCompiled(args[1]);
				var function = new FunctionAssemblies(args[0]).LoadFromAssemblyPath(args[0]);
				handler = Handler.Find(function, Variable("MOD_NAME", ""), Variable("FUNC_HANDLER", ""));
			}
			catch (Exception error)
			{
				Output.EndLines();
				wire.Send(Errors.Failed(LoadError.From(error)));
				Libc.Exit(1);
				return 1;
			}

			var concurrency = int.TryParse(Variable("FUNC_CONCURRENCY", ""), out var given) && given > 0 ? given : DefaultConcurrency;
			// Code that blocks after an `await` occupies the pool's threads. Above its minimum the pool adds
			// only about two threads a second.
			ThreadPool.GetMinThreads(out var poolThreads, out var ports);
			ThreadPool.SetMinThreads(Math.Max(poolThreads, Math.Min(concurrency, MaxPoolThreads)), ports);

			var context = new Context(Variable("MOD_NAME", ""), handler.Name, Variable("FUNC_PORT", "8080"),
				Variable("FUNC_TIMEOUT", "180"), Variable("FUNC_RUNTIME", ""), Variable("FUNC_MEMORY_LIMIT", "0"));
			var calls = new Calls(wire, handler, context);
			var runners = new Runners(wire, calls, concurrency);
			calls.Runners = runners;
			wire.Send(new Frame().Latin("{\"type\":\"ready\",\"wire\":1,\"handler\":").Quoted(handler.Name)
				.Latin(",\"concurrency\":").Number(concurrency).Latin(",\"envelopes\":true}\n"));
			runners.Start();

			calls.WaitForStop();
			wire.Drain();
			Output.EndLines();
			// Runs the function's ProcessExit handlers. The loader bounds their time: it kills the process.
			Environment.Exit(0);
			return 0;
		}

		private static string Variable(string name, string otherwise)
		{
			var value = Environment.GetEnvironmentVariable(name)?.Trim();
			return string.IsNullOrEmpty(value) ? otherwise : value;
		}
	}
}
