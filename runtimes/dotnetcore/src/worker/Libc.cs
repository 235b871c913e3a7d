using System;
using System.Runtime.InteropServices;

namespace Kubeless.Worker
{
	/// <summary>What .NET has no word for: a descriptor by its number, and what happens to it in child processes.</summary>
	internal static class Libc
	{
		internal const int Interrupted = 4; // EINTR
		private const int SetDescriptorFlags = 2; // F_SETFD
		private const int CloseOnExec = 1; // FD_CLOEXEC

		[DllImport("libc", EntryPoint = "read", SetLastError = true)]
		private static extern IntPtr ReadInto(int descriptor, ref byte target, IntPtr count);

		[DllImport("libc", EntryPoint = "write", SetLastError = true)]
		private static extern IntPtr WriteFrom(int descriptor, ref byte source, IntPtr count);

		[DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
		private static extern int Control(int descriptor, int command, int argument);

		[DllImport("libc", EntryPoint = "_exit")]
		internal static extern void Exit(int code);

		/// <summary>How many bytes came; 0 at the end, -1 where there is none to read from any more.</summary>
		internal static int Read(int descriptor, byte[] target, int from, int count)
		{
			for (;;)
			{
				var got = (int)ReadInto(descriptor, ref target[from], (IntPtr)count);
				if (got >= 0 || Marshal.GetLastWin32Error() != Interrupted) return got;
			}
		}

		internal static bool WriteAll(int descriptor, byte[] source, int from, int count)
		{
			while (count > 0)
			{
				var sent = (int)WriteFrom(descriptor, ref source[from], (IntPtr)count);
				if (sent < 0)
				{
					if (Marshal.GetLastWin32Error() == Interrupted) continue;
					return false;
				}
				from += sent;
				count -= sent;
			}
			return true;
		}

		/// <summary>Child processes are not to have this descriptor.</summary>
		internal static bool KeepFromChildren(int descriptor) => Control(descriptor, SetDescriptorFlags, CloseOnExec) == 0;
	}
}
