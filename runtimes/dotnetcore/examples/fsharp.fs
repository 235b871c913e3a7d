module fsharp

open Kubeless.Functions

let handler (k8Event: Event, k8Context: Context) : obj =
    box (sprintf "hello %O from F#" k8Event.Data)

let later (k8Event: Event) (k8Context: Context) =
    async {
        do! Async.Sleep 10
        return "hello later"
    }
