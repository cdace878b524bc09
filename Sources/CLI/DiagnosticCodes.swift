/// The codes of diagnostics, as `docs/diagnostics.md` lists them.
enum DiagnosticCodes {
    /// What a code means, in a few words; `nil` for an unknown one.
    static func meaning(_ code: String) -> String? { meanings[code] }

    /// Whether the environment is at fault, not the danubefile.
    static func isEnvironment(_ code: String) -> Bool { code.hasPrefix("DNB9") }

    /// The codes of `--deny`, checked.
    static func denied(_ codes: [String]) throws(Failure) -> Set<String> {
        for code in codes where meaning(code) == nil {
            throw .mistake(
                "--deny \(code) is not the code of a diagnostic",
                hint: "Codes stand in brackets behind a diagnostic, as [DNB404].")
        }
        return Set(codes)
    }

    private static let meanings: [String: String] = [
        "DNB101": "the source is not valid Python",
        "DNB102": "the file is not UTF-8",
        "DNB103": "the file cannot be read, or is not there",
        "DNB104": "the danubefile is a directory",
        "DNB105": "the file is empty, or defines no pipeline",
        "DNB106": "which of several pipelines is meant is not said, or there is no such",
        "DNB107": "a module is not found",
        "DNB108": "a module cannot be imported while planning",
        "DNB109": "a name is not defined",
        "DNB110": "there is no such attribute",
        "DNB111": "there is no such argument",
        "DNB112": "an exception ends the danubefile while it is imported",
        "DNB113": "the danubefile exits while it is imported",
        "DNB114": "invisible characters change the order of the source",
        "DNB115": "an exception ends the pipeline",
        "DNB116": "an argument is missing",
        "DNB117": "calls or blocks nest too deeply",
        "DNB201": "an operation needs the value of a result",
        "DNB202": "a loop ends when a result changes, or there are too many paths",
        "DNB203": "iterating over a result needs its value",
        "DNB204": "converting a result needs its value",
        "DNB205": "an operation on a result is not recorded",
        "DNB206": "a result is used as a key or in a set",
        "DNB207": "the danubefile does not do the same twice",
        "DNB301": "two steps have the same name",
        "DNB302": "`needs` has something that is not an earlier step",
        "DNB304": "a command is empty",
        "DNB305": "an image's reference is malformed",
        "DNB306": "a duration is malformed or out of range",
        "DNB307": "an amount is malformed or out of range",
        "DNB308": "a path leads out of the workspace",
        "DNB309": "a variable's name is malformed",
        "DNB310": "a variable's name is reserved",
        "DNB311": "retries are malformed or out of range",
        "DNB312": "an argument has a wrong type",
        "DNB313": "a working directory is malformed",
        "DNB314": "an artifact is malformed or not unique",
        "DNB315": "a service is malformed or not unique",
        "DNB316": "a name is empty, or more than a line",
        "DNB317": "a concurrency group or its rule is malformed",
        "DNB401": "a secret is printed",
        "DNB402": "a secret becomes part of a name",
        "DNB403": "a secret stands in an argument list",
        "DNB404": "text that a stranger wrote stands in a script",
        "DNB405": "a secret is compared",
        "DNB501": "captured output is not used",
        "DNB502": "a step cannot be reached",
        "DNB503": "a step follows a failure that ends the job",
        "DNB504": "a pipeline has no steps",
        "DNB601": "there is no such parameter",
        "DNB602": "a parameter without default is not given",
        "DNB603": "a parameter has a value of a wrong type",
        "DNB604": "a parameter has a type that is not supported",
        "DNB605": "there is no such revision",
        "DNB701": "the time of day is asked for",
        "DNB702": "randomness of the system is asked for",
        "DNB703": "the network is used",
        "DNB704": "a process is started",
        "DNB705": "a thread is started",
        "DNB706": "a file is written",
        "DNB707": "a file outside the repository is read",
        "DNB708": "the host is asked for something else",
        "DNB801": "the evaluation takes too long",
        "DNB802": "the evaluation takes too much memory",
        "DNB803": "there are too many steps",
        "DNB804": "the plan is too large",
        "DNB805": "blocks or values nest too deeply",
        "DNB806": "too much is printed",
        "DNB807": "the evaluator died, or sent what is not its protocol",
        "DNB901": "Python or the evaluator cannot be started",
        "DNB902": "a layer of the sandbox is missing",
        "DNB903": "git's objects cannot be read",
    ]
}
