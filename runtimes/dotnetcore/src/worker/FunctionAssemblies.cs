using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.Loader;

namespace Kubeless.Worker
{
	/// <summary>Loads the function's assembly and what it depends on, as its .deps.json says, or from the folder it lies in.</summary>
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
			// What functions and the worker hand to each other has to be the same for both, so the framework's comes first.
			if (Frameworks.Any(path => path.EndsWith("/" + name.Name + ".dll", StringComparison.OrdinalIgnoreCase)))
			{
				try
				{
					return Default.LoadFromAssemblyName(name);
				}
				catch (IOException)
				{
					// The function needs a younger one.
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
