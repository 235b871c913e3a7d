using System;
using Kubeless.Functions;

public class refuse
{
	public object handler(Event k8Event, Context k8Context) => throw new Exception("no such order");
}
