internal import PipelineIR

/// What a step printed when its result was made is printed again when the result is taken.
extension Scheduler {
    /// Adds the log that is kept with a result to the log of this job, as the step's first attempt.
    func replay(_ known: KnownResult, for step: StepIndex) {
        if known.log == nil { return }
        let key = AttemptKey(step: step.int, attempt: 1)
        guard let blob = results.log(of: known) else {
            return remark(
                "cached; what it printed in job \(known.job) is no longer in the cache", key)
        }
        note("cached, from job \(known.job)", key)
        let writer = log.writer(key)
        writer.listener = { [observer] stream, bytes in observer.replayed(step, stream, bytes) }
        let isWhole = KeptLog.read(blob) { stream, bytes in
            // What is secret now need not have been when the result was made, so it is looked for
            // again.
            do throws(LogError) {
                if stream == .note {
                    try writer.finish(at: .now())
                    remark(String(decoding: bytes, as: UTF8.self), key)
                } else {
                    try writer.append(stream, Array(bytes), at: .now())
                }
            } catch {
                complain(error)
            }
        }
        do throws(LogError) { try writer.finish(at: .now()) } catch { complain(error) }
        if !isWhole { remark("the rest of what it printed cannot be read", key) }
        records[step]?.outputBytes += writer.byteCount
    }

    /// Says something about a log, in it and to those who watch it.
    private func remark(_ text: String, _ key: AttemptKey) {
        note(text, key)
        Array(text.utf8).withUnsafeBytes {
            observer.replayed(StepIndex(key.step), .note, $0)
        }
    }

    private func note(_ text: String, _ key: AttemptKey) {
        do throws(LogError) {
            try log.note(step: key.step, attempt: key.attempt, text, at: .now())
        } catch {
            complain(error)
        }
    }
}
