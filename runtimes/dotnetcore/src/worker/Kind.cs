using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>What a handler's result is by its type, found out once for each type. Libraries that a function may have or not are known by their names.</summary>
	internal sealed class Kind
	{
		private static readonly ConcurrentDictionary<Type, Kind> Known = new ConcurrentDictionary<Type, Kind>();
		private static readonly Func<Type, Kind> Find = type => new Kind(type);

		/// <summary>The task behind a ValueTask or an F# async; null: it is none of them.</summary>
		internal Func<object, Task> AsTask { get; }

		/// <summary>The elements of an IAsyncEnumerable of whatever type; null: it is none.</summary>
		internal Func<object, CancellationToken, IAsyncEnumerator<object>> Elements { get; }

		/// <summary>What the elements are said to be.</summary>
		internal Type Element { get; }

		/// <summary>What controllers of ASP.NET Core return.</summary>
		internal bool IsActionResult { get; }

		/// <summary>JSON in Newtonsoft's words.</summary>
		internal bool IsNewtonsoft { get; }

		/// <summary>Of what JSON would have words for, but not the ones that are meant.</summary>
		internal bool IsStrange { get; }

		internal static Kind Of(object value) => Known.GetOrAdd(value.GetType(), Find);

		private Kind(Type type)
		{
			AsTask = TaskOf(type);
			IsStrange = typeof(Delegate).IsAssignableFrom(type) || typeof(Type).IsAssignableFrom(type);
			foreach (var known in type.GetInterfaces())
			{
				if (known.FullName == "Microsoft.AspNetCore.Http.IResult") IsStrange = true;
				if (known.FullName == "Microsoft.AspNetCore.Mvc.IActionResult" || known.FullName == "Microsoft.AspNetCore.Mvc.Infrastructure.IConvertToActionResult") IsActionResult = true;
				if (!known.IsGenericType || known.GetGenericTypeDefinition() != typeof(IAsyncEnumerable<>)) continue;
				Element = known.GetGenericArguments()[0];
				Elements = Made<Func<object, CancellationToken, IAsyncEnumerator<object>>>(nameof(ElementsOf), Element);
			}
			for (var known = type; known != null; known = known.BaseType) IsNewtonsoft |= known.FullName == "Newtonsoft.Json.Linq.JToken";
		}

		private static Func<object, Task> TaskOf(Type type)
		{
			if (type == typeof(ValueTask)) return value => ((ValueTask)value).AsTask();
			if (!type.IsGenericType) return null;
			var argument = type.GetGenericArguments()[0];
			if (type.GetGenericTypeDefinition() == typeof(ValueTask<>)) return Made<Func<object, Task>>(nameof(TaskOfValueTask), argument);
			if (type.Namespace != "Microsoft.FSharp.Control" || type.Name != "FSharpAsync`1") return null;
			// It begins when it is asked to.
			var start = type.Assembly.GetType("Microsoft.FSharp.Control.FSharpAsync").GetMethod("StartAsTask").MakeGenericMethod(argument);
			return value => (Task)start.Invoke(null, new[] { value, null, null });
		}

		private static Task TaskOfValueTask<T>(object value) => ((ValueTask<T>)value).AsTask();

		private static async IAsyncEnumerator<object> ElementsOf<T>(object value, CancellationToken cancellation)
		{
			await foreach (var element in ((IAsyncEnumerable<T>)value).WithCancellation(cancellation).ConfigureAwait(false)) yield return element;
		}

		private static T Made<T>(string method, Type argument) where T : Delegate =>
			(T)typeof(Kind).GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic).MakeGenericMethod(argument).CreateDelegate(typeof(T));
	}
}
