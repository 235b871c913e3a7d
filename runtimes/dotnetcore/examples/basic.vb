Imports Kubeless.Functions

Public Class basic
    Public Function handler(k8Event As [Event], k8Context As Context) As Object
        Return "hello " & k8Event.Data.ToString() & " from Visual Basic"
    End Function
End Class
