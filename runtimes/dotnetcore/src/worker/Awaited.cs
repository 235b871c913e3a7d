using System;
using System.Collections.Concurrent;
using System.Reflection;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>What a task, of whatever type, comes to.</summary>
	internal static class Awaited
	{
		private static readonly ConcurrentDictionary<Type, Func<object, object>> Readers = new ConcurrentDictionary<Type, Func<object, object>>();

		/// <summary>Whether the value is there only later: then `task` is what to wait for.</summary>
		internal static bool IsPending(object value, out Task task)
		{
			task = AsTask(value);
			return task != null && !task.IsCompletedSuccessfully;
		}

		/// <summary>The value behind a task that is over, and behind those it comes to; else the value itself.</summary>
		internal static object Result(object value)
		{
			while (AsTask(value) is Task task && task.IsCompletedSuccessfully)
			{
				value = Readers.GetOrAdd(task.GetType(), ReaderOf)(task);
			}
			return value;
		}

		private static Task AsTask(object value)
		{
			if (value is null || value is string || value is byte[]) return null;
			if (value is Task task) return task;
			var type = value.GetType();
			if (type.Namespace == "Microsoft.FSharp.Control" && type.IsGenericType) return AsyncOfFSharp(value, type);
			if (value is ValueTask plain) return plain.AsTask();
			if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(ValueTask<>)) return null;
			return (Task)type.GetMethod("AsTask").Invoke(value, null);
		}

		private static Func<object, object> ReaderOf(Type type)
		{
			for (var known = type; known != null; known = known.BaseType)
			{
				if (!known.IsGenericType || known.GetGenericTypeDefinition() != typeof(Task<>)) continue;
				var result = known.GetGenericArguments()[0];
				if (result.Name == "VoidTaskResult" || result.FullName == "Microsoft.FSharp.Core.Unit") break;
				var reader = typeof(Awaited).GetMethod(nameof(ResultOf), BindingFlags.Static | BindingFlags.NonPublic).MakeGenericMethod(result);
				return (Func<object, object>)reader.CreateDelegate(typeof(Func<object, object>));
			}
			return _ => null;
		}

		private static object ResultOf<T>(object task) => ((Task<T>)task).Result;

		/// <summary>F#'s own kind of task, which begins when it is asked to; the worker does not know F# but by name.</summary>
		private static Task AsyncOfFSharp(object value, Type type)
		{
			if (!type.Name.StartsWith("FSharpAsync`1", StringComparison.Ordinal)) return null;
			var start = type.Assembly.GetType("Microsoft.FSharp.Control.FSharpAsync").GetMethod("StartAsTask");
			return (Task)start.MakeGenericMethod(type.GetGenericArguments()).Invoke(null, new[] { value, null, null });
		}
	}
}
