using Kubeless.Functions;

/// <summary>
/// A file that cannot be loaded: its line 17, which is the same in every language, is not C#.
/// What a worker says about it must name this file and that line.
/// </summary>
class Broken
{
	public byte[] echoes(Event k8Event, Context k8Context) => k8Event.Bytes;

	public object raises(Event k8Event, Context k8Context)
	{
		throw new System.ArgumentException(k8Event.Data.ToString());
	}

	this line is not C#
}
