using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using Kubeless.Functions;

namespace Kubeless.Worker
{
	/// <summary>
	/// The function's handler: a public method that takes (Event, Context). If it is not static, one
	/// object of its class serves all calls.
	/// </summary>
	internal sealed class Handler
	{
		internal string Name { get; }

		internal Func<Event, Context, object> Call { get; }

		private Handler(string name, Func<Event, Context, object> call)
		{
			Name = name;
			Call = call;
		}

		/// <param name="module">the name of the preferred class</param>
		/// <param name="wanted">the name of the method; "": the only one</param>
		/// <exception cref="LoadError">HANDLER_NOT_FOUND</exception>
		internal static Handler Find(Assembly assembly, string module, string wanted)
		{
			var all = assembly.GetTypes().Where(CanBeCalled).SelectMany(Handlers).ToList();
			var names = all.Select(method => method.Name);
			var own = all.Where(method => HasName(method.ReflectedType, module, StringComparison.Ordinal)).ToList();
			if (own.Count == 0) own = all.Where(method => HasName(method.ReflectedType, module, StringComparison.OrdinalIgnoreCase)).ToList();

			var found = Named(own, wanted);
			if (found.Count == 0) found = Named(all, wanted);
			if (found.Count == 1) return Of(found[0]);
			const string Signature = "a public method that takes (Kubeless.Functions.Event, Kubeless.Functions.Context)";
			if (all.Count == 0) throw LoadError.NotFound($"There is no handler. Add {Signature}.", names);
			if (found.Count == 0) throw LoadError.NotFound($"There is no handler {wanted}. Set FUNC_HANDLER to an existing one, or add {Signature}.", names);
			if (wanted == "") throw LoadError.NotFound("There are several handlers. Set FUNC_HANDLER to one of them.", names);
			var classes = string.Join(", ", found.Select(method => method.ReflectedType));
			throw LoadError.NotFound($"Several classes have a handler {wanted} ({classes}). Name one of the classes {module}, like the file.", names);
		}

		private static List<MethodInfo> Named(List<MethodInfo> methods, string wanted)
		{
			if (wanted == "") return methods;
			var exact = methods.Where(method => method.Name == wanted).ToList();
			return exact.Count > 0 ? exact : methods.Where(method => method.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase)).ToList();
		}

		private static bool CanBeCalled(Type type) => !type.IsInterface && !type.ContainsGenericParameters && (!type.IsAbstract || type.IsSealed)
			&& !type.IsDefined(typeof(CompilerGeneratedAttribute), false);

		/// <summary>F# appends "Module" to a module that has the name of a type.</summary>
		private static bool HasName(Type type, string name, StringComparison how) =>
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
			var target = method.IsStatic ? null : Create(method.ReflectedType);
			var returned = method.ReturnType;
			if (!returned.IsValueType) return new Handler(method.Name, Delegate<Func<Event, Context, object>>(method, target));
			var wrapped = typeof(Handler).GetMethod(returned == typeof(void) ? nameof(Void) : nameof(Boxed), BindingFlags.Static | BindingFlags.NonPublic);
			if (returned != typeof(void)) wrapped = wrapped.MakeGenericMethod(returned);
			return new Handler(method.Name, (Func<Event, Context, object>)wrapped.Invoke(null, new[] { method, target }));
		}

		private static object Create(Type type)
		{
			try
			{
				return Activator.CreateInstance(type, nonPublic: true);
			}
			catch (MissingMethodException)
			{
				throw LoadError.NotFound($"The class {type} has no constructor without parameters. Add one, or make the handler static.", Array.Empty<string>());
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
