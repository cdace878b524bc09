import Executor
import Glibc

/// Reads the secrets that a run is given.
enum SecretOptions {
    private static let mostBytes = 1 << 20
    private static let prefix = "DANUBE_SECRET_"

    /// The values of `--secret` and `--secret-file`, and of variables `DANUBE_SECRET_NAME`. What is
    /// named on the command line wins.
    static func values(_ given: [String], files: [String]) throws(Failure) -> SecretValues {
        var values = SecretValues()
        for (name, value) in environment() where name.hasPrefix(prefix) {
            values.set(String(name.dropFirst(prefix.count)), value)
        }
        for file in files { try read(file, into: &values) }
        for secret in given {
            let parts = secret.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard !name.isEmpty else {
                throw .mistake("--secret \(secret) names no secret", hint: "Write --secret NAME.")
            }
            if parts.count > 1 {
                values.set(name, String(parts[1]))
            } else if let value = getenv(name) {
                values.set(name, String(cString: value))
            } else {
                throw .mistake(
                    "--secret \(name): there is no such variable in the environment",
                    hint: "Set \(name), or write --secret-file FILE with \(name)=… in it.")
            }
        }
        return values
    }

    private static func read(_ path: String, into values: inout SecretValues) throws(Failure) {
        let bytes = try FileBytes.read(path, limit: mostBytes)
        let text = String(decoding: bytes, as: UTF8.self)
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "="), equals != line.startIndex else {
                throw .mistake(
                    "\(path):\(number + 1): this line is not NAME=value",
                    hint: "Begin comments with #.")
            }
            values.set(String(line[..<equals]), String(line[line.index(after: equals)...]))
        }
    }

    private static func environment() -> [(String, String)] {
        var found: [(String, String)] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if let equals = text.firstIndex(of: "=") {
                found.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
            }
            next += 1
        }
        return found
    }
}
