import PipelineIR

/// Compiles bytes as an evaluator would send them, without an evaluator: for what attacks the
/// compiler with bytes that no evaluator sends.
package enum Replay {
    /// What came of it.
    package struct Outcome {
        /// The compilation, once the last frame was there.
        package var compilation: Compilation?
        /// Bytes of all answers.
        package var answered = 0
    }

    /// Takes the bytes in pieces of `pieceBytes`. The repository has one file, `danubefile.py`.
    package static func compile(
        _ bytes: [UInt8], pieceBytes: Int, request: CompileRequest
    ) -> Outcome {
        var outcome = Outcome()
        let source = RecordedSource(OneFile())
        let context = RecordedContext(EmptyContext())
        let deadline = Deadline(after: request.limits.wallClock)
        var exchange = BridgeExchange(source: source, context: context, limits: request.limits)
        var gathered = Gathered(limits: request.limits)
        var compilation = Compilation()
        var offset = 0
        do {
            while offset < bytes.count {
                let end = min(offset + max(1, pieceBytes), bytes.count)
                try bytes.withUnsafeBufferPointer { buffer in
                    try exchange.receive(UnsafeBufferPointer(rebasing: buffer[offset..<end]))
                }
                offset = end
                frames: while true {
                    switch try exchange.next({ try gathered.take($0, $1) }) {
                    case .incomplete: break frames
                    case .taken: break
                    case .answer(let answer): outcome.answered += answer.count
                    case .done(let report):
                        try gathered.finish(report)
                        Attempt.conclude(
                            gathered, request, source, context, deadline, &compilation)
                        outcome.compilation = compilation
                        return outcome
                    }
                }
            }
        } catch {
            compilation.diagnostics =
                gathered.diagnostics + [EvaluationFailure.diagnostic(error, request)]
            SourceLines.fill(&compilation.diagnostics, from: source)
            outcome.compilation = compilation
        }
        return outcome
    }

    private struct OneFile: RepositorySource {
        let identity = "replay"
        private static let text = Array("from danube import pipeline, step\n".utf8)
        func read(_ path: String) -> ReadResult {
            path == "danubefile.py" ? .content(Self.text) : .absent
        }
        func stat(_ path: String) -> StatResult {
            switch path {
            case "danubefile.py": .file(size: Int64(Self.text.count), executable: false)
            case "": .folder
            default: .absent
            }
        }
        func list(_ path: String) -> ListResult {
            path.isEmpty ? .names(["danubefile.py"]) : .absent
        }
    }
}
