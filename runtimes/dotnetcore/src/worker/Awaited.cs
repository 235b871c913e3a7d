using System;
using System.Collections.Concurrent;
using System.Reflection;
using System.Threading.Tasks;

namespace Kubeless.Worker
{
	/// <summary>Reads the results of tasks of all types.</summary>
	internal static class Awaited
	{
		private static readonly ConcurrentDictionary<Type, Func<object, object>> Readers = new ConcurrentDictionary<Type, Func<object, object>>();
		private static readonly Func<Type, Func<object, object>> Find = ReaderOf;

		/// <summary>
		/// Returns true if the value is a task that has not completed, which is then in `task`. Replaces
		/// completed tasks by their results.
		/// </summary>
		internal static bool IsPending(ref object value, out Task task)
		{
			while ((task = AsTask(value)) != null)
			{
				if (!task.IsCompletedSuccessfully) return true;
				value = Readers.GetOrAdd(task.GetType(), Find)(task);
			}
			return false;
		}

		private static Task AsTask(object value)
		{
			if (value is null || value is string || value is byte[]) return null;
			return value as Task ?? ResultType.Of(value).AsTask?.Invoke(value);
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
	}
}
