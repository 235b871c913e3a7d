using Kubeless.Functions;

/// <summary>The only handler of its file: a worker finds it without FUNC_HANDLER. The class need
/// not be called like the file.</summary>
class Single
{
	public string single(Event k8Event, Context k8Context) => "the only one";
}
