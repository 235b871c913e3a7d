using Kubeless.Functions;

/// <summary>The only handler of its file: a worker finds it without being told its name. No class
/// is called like this file, and none has to be.</summary>
class Single
{
	public string single(Event k8Event, Context k8Context) => "the only one";
}
