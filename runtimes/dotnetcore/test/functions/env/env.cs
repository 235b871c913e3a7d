using System;
using Kubeless.Functions;

public class env
{
	public string handler(Event k8Event, Context k8Context) => Environment.GetEnvironmentVariable(k8Event.Data.ToString()) ?? "not set";
}
