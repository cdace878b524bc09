internal import CSandbox
internal import Glibc
internal import PipelineIR

/// The program `danube-master`.
package enum MasterProgram {
    /// Runs it with the arguments of the process, without its name, and gives its exit status: 0
    /// after an orderly end, 2 after a mistake in what was given, 3 after a failure of the machine.
    package static func run(arguments: [String]) async -> Int32 {
        danube_gives_memory_back()
        let environment = Self.environment()
        if let (command, rest) = MasterCommand.find(arguments) {
            // It waits for the disk.
            let status = try? await OwnThread.run { command.run(rest, environment: environment) }
            return status ?? 3
        }
        let configuration: MasterConfiguration
        do throws(ConfigurationError) {
            let given = try MasterArguments(arguments, environment: environment)
            if given.action == .help {
                say(ConfigurationDocument.help(), to: STDOUT_FILENO)
                return 0
            }
            configuration = try MasterConfiguration.load(
                file: given.file, environment: environment, flags: given.flags)
            if given.action == .checkConfiguration {
                say(ConfigurationDocument.toml(configuration), to: STDOUT_FILENO)
                return 0
            }
        } catch {
            say("\(error)", to: STDERR_FILENO)
            return error.status
        }
        do {
            let server = MasterServer(configuration, environment: environment) {
                let given = try MasterArguments(arguments, environment: environment)
                return try MasterConfiguration.load(
                    file: given.file, environment: environment, flags: given.flags)
            }
            try await server.run()
            return 0
        } catch let failure as StartFailure {
            say("\(failure)\n", to: STDERR_FILENO)
            return 3
        } catch {
            say("danube-master: error: \(error)\n", to: STDERR_FILENO)
            return 3
        }
    }

    private static func environment() -> [String: String] {
        var found: [String: String] = [:]
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if let equals = text.firstIndex(of: "=") {
                found[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return found
    }

    static func say(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}

/// Why a master cannot start.
struct StartFailure: Error, CustomStringConvertible {
    let message: String
    let hint: String

    /// Two lines without a newline at the end.
    var description: String { "danube-master: error: \(message)\n  hint: \(hint)" }
}
