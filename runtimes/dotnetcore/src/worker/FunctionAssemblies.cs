using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.Loader;

namespace Kubeless.Worker
{
	/// <summary>Loads the function's assembly and its dependencies, by its .deps.json or from its
	/// folder.</summary>
	internal sealed class FunctionAssemblies : AssemblyLoadContext
	{
		private static readonly string[] Frameworks = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Split(Path.PathSeparator);

		private readonly AssemblyDependencyResolver resolver;

		internal FunctionAssemblies(string main)
		{
			resolver = new AssemblyDependencyResolver(main);
		}

		protected override Assembly Load(AssemblyName name)
		{
			// Framework assemblies first: types that the function and the worker exchange must be the same.
			if (Frameworks.Any(path => path.EndsWith("/" + name.Name + ".dll", StringComparison.OrdinalIgnoreCase)))
			{
				try
				{
					return Default.LoadFromAssemblyName(name);
				}
				catch (IOException)
				{
					// The function brings a newer version.
				}
			}
			var path = resolver.ResolveAssemblyToPath(name);
			return path == null ? null : LoadFromAssemblyPath(path);
		}

		protected override IntPtr LoadUnmanagedDll(string name)
		{
			var path = resolver.ResolveUnmanagedDllToPath(name);
			return path == null ? IntPtr.Zero : LoadUnmanagedDllFromPath(path);
		}
	}
}
