/// Why an evaluation gave no recording. None of them is a mistake in a danubefile by itself; the
/// compiler words those that a danubefile can bring about (`died`, `timeout`, `tooLarge`) as
/// diagnostics.
package enum BridgeError: Error, Equatable {
    /// No `danube-pybridge` where it is looked for.
    case notFound([String])
    /// Python could not be started; what the evaluator, or the loader in its place, said.
    case noLibPython(String)
    /// A layer without which nothing is evaluated.
    case sandboxUnavailable(layer: String, detail: String)
    /// The evaluator ended before it was done, by a signal or with an exit code.
    case died(signal: Int32, code: Int32)
    case timeout(Duration)
    /// It sent more than is accepted.
    case tooLarge(String, limit: Int)
    /// It sent what is not the protocol.
    case violation(String)
    /// A system call of the compiler itself failed.
    case io(String, errno: Int32)
}
