using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>
	/// What a type of results needs, determined once for each type. Types of libraries that a function
	/// may or may not have are recognised by their names.
	/// </summary>
	internal sealed class ResultType
	{
		private static readonly ConcurrentDictionary<Type, ResultType> Known = new ConcurrentDictionary<Type, ResultType>();
		private static readonly Func<Type, ResultType> Find = type => new ResultType(type);

		/// <summary>Makes a task of a ValueTask or an F# async; null for other types.</summary>
		internal Func<object, Task> AsTask { get; }

		/// <summary>Enumerates an IAsyncEnumerable; null for other types.</summary>
		internal Func<object, CancellationToken, IAsyncEnumerator<object>> Elements { get; }

		/// <summary>The T of IAsyncEnumerable&lt;T&gt;.</summary>
		internal Type Element { get; }

		/// <summary>A result of ASP.NET Core's controllers.</summary>
		internal bool IsActionResult { get; }

		/// <summary>A JToken of Newtonsoft.Json.</summary>
		internal bool IsNewtonsoft { get; }

		/// <summary>A type that serialises to JSON, but not to anything useful: a delegate, a Type, an
		/// IResult.</summary>
		internal bool CannotBeSent { get; }

		internal static ResultType Of(object value) => Known.GetOrAdd(value.GetType(), Find);

		private ResultType(Type type)
		{
			AsTask = TaskOf(type);
			CannotBeSent = typeof(Delegate).IsAssignableFrom(type) || typeof(Type).IsAssignableFrom(type);
			foreach (var known in type.GetInterfaces())
			{
				if (known.FullName == "Microsoft.AspNetCore.Http.IResult") CannotBeSent = true;
				if (known.FullName == "Microsoft.AspNetCore.Mvc.IActionResult" || known.FullName == "Microsoft.AspNetCore.Mvc.Infrastructure.IConvertToActionResult") IsActionResult = true;
				if (!known.IsGenericType || known.GetGenericTypeDefinition() != typeof(IAsyncEnumerable<>)) continue;
				Element = known.GetGenericArguments()[0];
				Elements = MakeDelegate<Func<object, CancellationToken, IAsyncEnumerator<object>>>(nameof(ElementsOf), Element);
			}
			for (var known = type; known != null; known = known.BaseType) IsNewtonsoft |= known.FullName == "Newtonsoft.Json.Linq.JToken";
		}

		private static Func<object, Task> TaskOf(Type type)
		{
			if (type == typeof(ValueTask)) return value => ((ValueTask)value).AsTask();
			if (!type.IsGenericType) return null;
			var argument = type.GetGenericArguments()[0];
			if (type.GetGenericTypeDefinition() == typeof(ValueTask<>)) return MakeDelegate<Func<object, Task>>(nameof(TaskOfValueTask), argument);
			if (type.Namespace != "Microsoft.FSharp.Control" || type.Name != "FSharpAsync`1") return null;
			// An F# async does not run until it is started.
			var start = type.Assembly.GetType("Microsoft.FSharp.Control.FSharpAsync").GetMethod("StartAsTask").MakeGenericMethod(argument);
			return value => (Task)start.Invoke(null, new[] { value, null, null });
		}

		private static Task TaskOfValueTask<T>(object value) => ((ValueTask<T>)value).AsTask();

		private static async IAsyncEnumerator<object> ElementsOf<T>(object value, CancellationToken cancellation)
		{
			await foreach (var element in ((IAsyncEnumerable<T>)value).WithCancellation(cancellation).ConfigureAwait(false)) yield return element;
		}

		private static T MakeDelegate<T>(string method, Type argument) where T : Delegate =>
			(T)typeof(ResultType).GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic).MakeGenericMethod(argument).CreateDelegate(typeof(T));
	}
}
