using System;
using System.Reflection;
using System.Threading;
using Kubeless.Functions;

[assembly: AssemblyVersion("1.0.0.0")]

namespace Kubeless.Worker
{
	/// <summary>
	/// The .NET worker: holds one function and calls it, as PROTOCOL.md says. start.sh starts it with the function's assembly, or
	/// with `--failed WORDS`, those of a compiler that found errors.
	/// </summary>
	internal static class Program
	{
		private const int Concurrency = 100;
		/// <summary>Milliseconds that what the function left behind may take to end.</summary>
		private const int Patience = 1000;

		private static int Main(string[] args)
		{
			// 1 · take the wire, 2 · send
			var wire = new Wire();
			Output.Redirect(wire);
			if (args[0] == "--failed") return Fail(wire, Failure.Failed("HANDLER_FAILED_TO_LOAD", args[1].Trim()));

			// 3 · encode: Answers. 4 · load the handler
			Handler handler;
			try
			{
				handler = Handler.Find(new FunctionAssemblies(args[0]).LoadFromAssemblyPath(args[0]), Env("MOD_NAME", ""), Env("FUNC_HANDLER", ""));
			}
			catch (Handler.NotFound error)
			{
				return Fail(wire, Failure.Failed("HANDLER_NOT_FOUND", error.Message, null, error.Handlers));
			}
			catch (ReflectionTypeLoadException error)
			{
				return Fail(wire, Failure.Failed("HANDLER_FAILED_TO_LOAD", Failure.MessageOf(error.LoaderExceptions[0])));
			}
			catch (Exception error)
			{
				var inner = Failure.Inner(error);
				return Fail(wire, Failure.Failed("HANDLER_FAILED_TO_LOAD", Failure.MessageOf(inner), Failure.StackOf(inner)));
			}

			// 5 · ready, 6 · the loop
			var concurrency = int.TryParse(Env("FUNC_CONCURRENCY", ""), out var given) && given > 0 ? given : Concurrency;
			ThreadPool.GetMinThreads(out var workers, out var ports);
			// What blocks after an `await` has the pool's threads; else the pool would get one more twice a second.
			ThreadPool.SetMinThreads(Math.Max(workers, Math.Min(concurrency, 1000)), ports);
			var context = new Context(Env("MOD_NAME", ""), handler.Name, Env("FUNC_PORT", "8080"), Env("FUNC_TIMEOUT", "180"),
				Env("FUNC_RUNTIME", ""), Env("FUNC_MEMORY_LIMIT", "0"));
			var answers = new Answers(wire, handler, context);
			var runners = new Runners(wire, answers, concurrency);
			answers.Runners = runners;
			wire.Send(new Frame().Latin("{\"type\":\"ready\",\"wire\":1,\"handler\":").Quoted(handler.Name)
				.Latin(",\"concurrency\":").Number(concurrency).Latin("}\n"));
			runners.Serve();
			Leave();
			return 0;
		}

		private static int Fail(Wire wire, Frame failed)
		{
			Output.EndLines();
			wire.Send(failed);
			Libc.Exit(1); // nothing has run that would want to end in peace
			return 1;
		}

		/// <summary>Ends as any program does, but waits a moment at most for what the function does about it.</summary>
		private static void Leave()
		{
			Output.EndLines();
			new Thread(() =>
			{
				Thread.Sleep(Patience);
				Libc.Exit(0);
			}) { IsBackground = true }.Start();
			Environment.Exit(0);
		}

		private static string Env(string name, string otherwise)
		{
			var value = Environment.GetEnvironmentVariable(name)?.Trim();
			return string.IsNullOrEmpty(value) ? otherwise : value;
		}
	}
}
