using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Kubeless.Worker
{
	/// <summary>The functions of the C library that .NET has no equivalent for.</summary>
	internal static class Libc
	{
		private const int Interrupted = 4; // EINTR
		private const int SetDescriptorFlags = 2; // F_SETFD
		private const int CloseOnExec = 1; // FD_CLOEXEC
		private const int OpenCloseOnExec = 0x80000; // O_RDONLY | O_CLOEXEC on Linux
		private const string ThreadLink = "/proc/thread-self"; // → PID/task/TID

		[StructLayout(LayoutKind.Sequential)]
		private struct Timespec
		{
			internal IntPtr Seconds;
			internal IntPtr Nanoseconds;
		}

		[DllImport("libc", EntryPoint = "read", SetLastError = true)]
		private static extern IntPtr ReadInto(int descriptor, ref byte target, IntPtr count);

		[DllImport("libc", EntryPoint = "write", SetLastError = true)]
		private static extern IntPtr WriteFrom(int descriptor, ref byte source, IntPtr count);

		[DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
		private static extern int Control(int descriptor, int command, int argument);

		[DllImport("libc", EntryPoint = "open")]
		private static extern int Open(byte[] path, int flags);

		[DllImport("libc", EntryPoint = "close")]
		private static extern int Close(int descriptor);

		[DllImport("libc", EntryPoint = "readlink")]
		private static extern IntPtr ReadLink(byte[] path, byte[] target, IntPtr size);

		[DllImport("libc", EntryPoint = "clock_gettime")]
		private static extern int GetTime(int clock, out Timespec time);

		/// <summary>Ends the process without running anything of the function.</summary>
		[DllImport("libc", EntryPoint = "_exit")]
		internal static extern void Exit(int code);

		/// <summary>Returns the number of bytes read; 0 at the end; -1 on an error.</summary>
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

		/// <summary>Keeps a descriptor from child processes. Returns false if it is not open.</summary>
		internal static bool KeepFromChildren(int descriptor) => Control(descriptor, SetDescriptorFlags, CloseOnExec) == 0;

		/// <summary>Reads the beginning of a small file. Returns the number of bytes; 0 if the file
		/// cannot be read.</summary>
		/// <param name="path">ends with a zero byte</param>
		internal static int ReadFile(byte[] path, byte[] target)
		{
			var descriptor = Open(path, OpenCloseOnExec);
			if (descriptor < 0) return 0;
			var got = Read(descriptor, target, 0, target.Length);
			Close(descriptor);
			return Math.Max(0, got);
		}

		/// <summary>Returns the kernel's id of the calling thread; 0 if it is not known.</summary>
		internal static int ThreadId()
		{
			var target = new byte[64];
			var length = (int)ReadLink(Utf8.Bytes(ThreadLink + "\0"), target, (IntPtr)target.Length);
			if (length <= 0) return 0;
			var link = Encoding.ASCII.GetString(target, 0, length);
			return int.TryParse(link.Substring(link.LastIndexOf('/') + 1), out var id) ? id : 0;
		}

		/// <summary>Returns the CPU time of a thread in ns; -1 if it is not known.</summary>
		internal static long ThreadCpuTime(int id)
		{
			// A clock's id on Linux: ~TID, then CPUCLOCK_PERTHREAD (4) and CPUCLOCK_SCHED (2).
			var clock = (~id << 3) | 4 | 2;
			return GetTime(clock, out var time) == 0 ? (long)time.Seconds * 1_000_000_000 + (long)time.Nanoseconds : -1;
		}
	}
}
