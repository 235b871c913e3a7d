using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace Kubeless.Worker
{
	/// <summary>Ends the start with a <c>failed</c> frame (PROTOCOL 3.2).</summary>
	internal sealed class LoadError : Exception
	{
		private const string LoadFailed = "HANDLER_FAILED_TO_LOAD";

		internal string Code { get; }

		/// <summary>The stack of the function's exception; null if there is none.</summary>
		internal string Stack { get; }

		/// <summary>The names of the handlers in the file; null except with HANDLER_NOT_FOUND.</summary>
		internal IReadOnlyList<string> Handlers { get; }

		private LoadError(string code, string message, string stack, IReadOnlyList<string> handlers) : base(message)
		{
			Code = code;
			Stack = stack;
			Handlers = handlers;
		}

		internal static LoadError NotFound(string message, IEnumerable<string> handlers) =>
			new LoadError("HANDLER_NOT_FOUND", message, null, handlers.Distinct().ToList());

		/// <param name="output">what the compiler printed</param>
		internal static LoadError NotCompiled(string output) => new LoadError(LoadFailed, output.Trim(), null, null);

		internal static LoadError From(Exception error)
		{
			if (error is LoadError known) return known;
			if (error is ReflectionTypeLoadException types)
			{
				return new LoadError(LoadFailed, Errors.MessageOf(types.LoaderExceptions[0]), null, null);
			}
			var inner = Errors.Unwrap(error);
			return new LoadError(LoadFailed, Errors.MessageOf(inner), Errors.StackOf(inner), null);
		}
	}
}
