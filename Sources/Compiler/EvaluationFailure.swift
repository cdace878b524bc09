import PipelineIR

/// Words for evaluations that gave no recording.
enum EvaluationFailure {
    static func diagnostic(_ error: any Error, _ request: CompileRequest) -> Diagnostic {
        var found = words(error, request)
        // What the host lacks is no problem of the danubefile.
        if found.place == nil, !found.code.hasPrefix("DNB9") {
            found.place = Diagnostic.Place(file: request.file, line: 0)
        }
        return found
    }

    private static func words(_ error: any Error, _ request: CompileRequest) -> Diagnostic {
        switch error {
        case let error as BridgeError: bridge(error, request)
        case let error as RecordingError: recording(error, request)
        case let error as MarshalError: marshal(error)
        default: refused("\(error)")
        }
    }

    private static func bridge(_ error: BridgeError, _ request: CompileRequest) -> Diagnostic {
        switch error {
        case .notFound(let paths):
            return Diagnostic(
                code: "DNB901", level: .error,
                message: "There is no `danube-pybridge` at \(paths.joined(separator: ", "))",
                hint: "Install it beside `danube`, or name it in DANUBE_PYBRIDGE.")
        case .noLibPython(let detail):
            return Diagnostic(
                code: "DNB901", level: .error, message: "Python cannot be started: \(detail)",
                hint: "Install libpython3.11 (Debian: apt-get install libpython3.11).")
        case .sandboxUnavailable(let layer, let detail):
            return Diagnostic(
                code: "DNB902", level: .error,
                message: "The sandbox has no \(layer) on this host: \(detail)",
                hint: "Without it nothing is evaluated; see `danube doctor`.")
        case .timeout(let duration):
            return Diagnostic(
                code: "DNB801", level: .error,
                message: "The evaluation took longer than \(seconds(duration)) s",
                hint: "Do less at planning time, or raise --timeout.")
        case .died(let signal, let code):
            if signal == 9 || signal == 24 {
                return Diagnostic(
                    code: "DNB801", level: .error,
                    message: "The evaluation used more processor time than its limit",
                    hint: "Do less at planning time, or raise --timeout.")
            }
            let how = signal != 0 ? "by signal \(signal)" : "with exit code \(code)"
            return Diagnostic(
                code: "DNB807", level: .error, message: "The evaluator ended \(how)",
                hint: "The danubefile exhausts the interpreter, or attacks it.")
        case .tooLarge(let what, let limit):
            return Diagnostic(
                code: "DNB804", level: .error,
                message: "The evaluation gives more than is accepted: \(what), limit \(limit)",
                hint: what == "result"
                    ? "Make fewer or smaller steps, or raise --max-result."
                    : "Make fewer or smaller steps.")
        case .violation(let what):
            return refused(what)
        case .io(let what, let errno):
            return Diagnostic(
                code: "DNB901", level: .error,
                message: "The evaluator cannot be run: \(what): \(errorText(errno))",
                hint: "Install danube anew, and check the host's limits on processes and files.")
        }
    }

    private static func seconds(_ duration: Duration) -> String {
        let parts = duration.components
        let milliseconds = parts.attoseconds / 1_000_000_000_000_000
        return milliseconds == 0
            ? "\(parts.seconds)" : "\(Double(parts.seconds) + Double(milliseconds) / 1000)"
    }

    private static func recording(
        _ error: RecordingError, _ request: CompileRequest
    ) -> Diagnostic {
        switch error {
        case .tooMany(let what, let limit):
            Diagnostic(
                code: what == "nested blocks" ? "DNB805" : what == "steps" ? "DNB803" : "DNB804",
                level: .error, message: "The pipeline has more \(what) than \(limit)",
                hint: what == "nested blocks"
                    ? "Flatten it, or raise --max-nesting."
                    : what == "steps" ? "Split it, or raise --max-steps." : "Split it.")
        case .schema(let what): refused(what)
        case .marshal(let error): marshal(error)
        case .late: bridge(.timeout(request.limits.wallClock), request)
        }
    }

    /// What a danubefile brings about by itself, and what only an attack does.
    private static func marshal(_ error: MarshalError) -> Diagnostic {
        switch error {
        case .badText:
            Diagnostic(
                code: "DNB312", level: .error,
                message: "A text of the pipeline has half of a surrogate pair, so is not Unicode",
                hint: #"Look for \ud800 to \udfff; decode bytes with errors="replace"."#)
        case .tooLong(let length, _) where length > PlanLimits.stringBytes && length < 1 << 28:
            Diagnostic(
                code: "DNB804", level: .error,
                message:
                    "A text of the pipeline is longer than \(PlanLimits.stringBytes >> 20) MiB",
                hint: "Keep it in a file of the repository, which the step's script reads.")
        default: refused("it sent bytes that are not its protocol: \(error)")
        }
    }

    private static func refused(_ why: String) -> Diagnostic {
        Diagnostic(
            code: "DNB807", level: .error, message: "The evaluator's answer is refused: \(why)",
            hint: "A danubefile must not touch the evaluator.")
    }
}

/// Problems with the danubefile itself, before anything is started.
enum FileCheck {
    static func problem(_ file: String, in repository: any RepositorySource) -> Diagnostic? {
        var found: Diagnostic
        switch repository.stat(file) {
        case .file(size: 0, _):
            found = Diagnostic(
                code: "DNB105", level: .error, message: "`\(file)` is empty",
                hint: "Run `danube init --force` to write a pipeline that fits the repository.")
        case .file(let size, _) where size > Limits.fileBytes:
            found = Diagnostic(
                code: "DNB103", level: .error,
                message: "`\(file)` is larger than \(Limits.fileBytes) bytes",
                hint: "Keep data apart from the danubefile, in files that it or its steps read.")
        case .file: return nil
        case .folder:
            found = Diagnostic(
                code: "DNB104", level: .error, message: "`\(file)` is a directory",
                hint: "Name the danubefile with -f.")
        case .absent:
            found = Diagnostic(
                code: "DNB103", level: .error, message: "There is no `\(file)`",
                hint: "Run `danube init` to write one, or name it with -f.")
        case .failed(let failure):
            let isOutside = failure == SourcePath.outside
            found = Diagnostic(
                code: "DNB103", level: .error,
                message: "`\(file)` cannot be read: \(failure.message)",
                hint: isOutside
                    ? "Name a file in the repository, whose folder is given with -C."
                    : "Check the file and its permissions.")
        }
        found.place = Diagnostic.Place(file: file, line: 0)
        return found
    }
}
