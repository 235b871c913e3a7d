using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using Kubeless.Functions;

namespace Kubeless.Worker
{
	/// <summary>The function's handler: a public method that takes (Event, Context), with the one object of its class if it needs one.</summary>
	internal sealed class Handler
	{
		internal string Name { get; }

		/// <summary>Calls it; gives what it returns.</summary>
		internal Func<Event, Context, object> Call { get; }

		private Handler(string name, Func<Event, Context, object> call)
		{
			Name = name;
			Call = call;
		}

		/// <summary>There is no such handler; says which there are.</summary>
		internal sealed class NotFound : Exception
		{
			internal IReadOnlyList<string> Handlers { get; }

			internal NotFound(string message, IEnumerable<string> handlers) : base(message)
			{
				Handlers = handlers.Distinct().ToList();
			}
		}

		/// <param name="module">the name of the class, of which there may be none</param>
		/// <param name="wanted">the name of the method; "": the only one</param>
		internal static Handler Find(Assembly assembly, string module, string wanted)
		{
			var all = assembly.GetTypes().Where(IsUsable).SelectMany(Handlers).ToList();
			var names = all.Select(method => method.Name);
			var own = all.Where(method => IsCalled(method.ReflectedType, module, StringComparison.Ordinal)).ToList();
			if (own.Count == 0) own = all.Where(method => IsCalled(method.ReflectedType, module, StringComparison.OrdinalIgnoreCase)).ToList();

			var found = Named(own, wanted);
			if (found.Count == 0) found = Named(all, wanted);
			if (found.Count == 1) return Of(found[0]);
			const string Signature = "a public method that takes (Kubeless.Functions.Event, Kubeless.Functions.Context)";
			if (all.Count == 0) throw new NotFound($"There is no handler: {Signature}.", names);
			if (found.Count == 0) throw new NotFound($"There is no handler {wanted}: {Signature}.", names);
			if (wanted == "") throw new NotFound("There are several handlers, and FUNC_HANDLER names none of them.", names);
			throw new NotFound($"Several classes have a handler {wanted} ({string.Join(", ", found.Select(method => method.ReflectedType))}), "
				+ $"and none of them is called {module}, as the file is.", names);
		}

		private static List<MethodInfo> Named(List<MethodInfo> methods, string wanted)
		{
			if (wanted == "") return methods;
			var exact = methods.Where(method => method.Name == wanted).ToList();
			return exact.Count > 0 ? exact : methods.Where(method => method.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase)).ToList();
		}

		private static bool IsUsable(Type type) => !type.IsInterface && !type.ContainsGenericParameters && (!type.IsAbstract || type.IsSealed)
			&& !type.IsDefined(typeof(CompilerGeneratedAttribute), false);

		/// <summary>F# calls a module of the same name as a type so.</summary>
		private static bool IsCalled(Type type, string name, StringComparison how) =>
			type.Name.Equals(name, how) || name.Equals(type.FullName, how) || type.Name.Equals(name + "Module", how);

		private static IEnumerable<MethodInfo> Handlers(Type type) =>
			type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static).Where(method =>
			{
				var takes = method.GetParameters();
				return takes.Length == 2 && takes[0].ParameterType == typeof(Event) && takes[1].ParameterType == typeof(Context)
					&& !method.ContainsGenericParameters && !method.ReturnType.IsByRef;
			});

		private static Handler Of(MethodInfo method)
		{
			RuntimeHelpers.RunClassConstructor(method.ReflectedType.TypeHandle);
			var target = method.IsStatic ? null : Made(method.ReflectedType);
			var returned = method.ReturnType;
			if (!returned.IsValueType) return new Handler(method.Name, Delegate<Func<Event, Context, object>>(method, target));
			var wrapped = typeof(Handler).GetMethod(returned == typeof(void) ? nameof(Void) : nameof(Boxed), BindingFlags.Static | BindingFlags.NonPublic);
			if (returned != typeof(void)) wrapped = wrapped.MakeGenericMethod(returned);
			return new Handler(method.Name, (Func<Event, Context, object>)wrapped.Invoke(null, new[] { method, target }));
		}

		private static object Made(Type type)
		{
			try
			{
				return Activator.CreateInstance(type, nonPublic: true);
			}
			catch (MissingMethodException)
			{
				throw new NotFound($"The class {type} has no constructor without parameters: give it one, or make the handler static.", Array.Empty<string>());
			}
		}

		private static T Delegate<T>(MethodInfo method, object target) where T : Delegate =>
			(T)(target == null ? method.CreateDelegate(typeof(T)) : method.CreateDelegate(typeof(T), target));

		private static Func<Event, Context, object> Boxed<T>(MethodInfo method, object target)
		{
			var call = Delegate<Func<Event, Context, T>>(method, target);
			return (@event, context) => call(@event, context);
		}

		private static Func<Event, Context, object> Void(MethodInfo method, object target)
		{
			var call = Delegate<Action<Event, Context>>(method, target);
			return (@event, context) =>
			{
				call(@event, context);
				return null;
			};
		}
	}
}
