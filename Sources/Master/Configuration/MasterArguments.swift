internal import Glibc

/// What the program was asked for: the arguments that are no keys of the configuration.
package struct MasterArguments: Sendable, Equatable {
    /// What there is to do.
    package enum Action: Sendable, Equatable {
        /// To serve.
        case serve
        /// To print the merged configuration (`--check-config`).
        case checkConfiguration
        /// To print `ConfigurationDocument.help()`.
        case help
    }

    /// What was asked for last.
    package private(set) var action = Action.serve
    /// The configuration file; `nil` when there is none.
    package private(set) var file: String?
    /// Flags for `MasterConfiguration.load`.
    package private(set) var flags: [String] = []

    /// The file that is read when none is named, in the folder where the program was started.
    package static let usualFile = "danube.toml"

    /// Divides arguments, which are without the program's name.
    ///
    /// Without `--config` and `DANUBE_CONFIG`, the file is `danube.toml` where it is there and
    /// belongs to the same user or root: nobody else configures a master by leaving a file in a
    /// folder.
    package init(
        _ arguments: [String], environment: [String: String]
    ) throws(ConfigurationError) {
        var named = environment["DANUBE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        var position = 0
        while position < arguments.count {
            let word = arguments[position]
            position += 1
            switch word {
            case "--help", "-h": action = .help
            case "--check-config": if action == .serve { action = .checkConfiguration }
            case "--config":
                guard position < arguments.count else {
                    throw ConfigurationError([
                        .init(.flag(word), "The flag has no value.", hint: "Write --config FILE.")
                    ])
                }
                named = arguments[position]
                position += 1
            case _ where word.hasPrefix("--config="):
                named = String(word.dropFirst("--config=".count))
            default:
                flags.append(word)
                // The next word is the value of this flag, whatever it looks like.
                let takesValue = ConfigurationKey.all.contains { !$0.isNamed && $0.flag == word }
                if takesValue, position < arguments.count {
                    flags.append(arguments[position])
                    position += 1
                }
            }
        }
        file = named ?? Self.found()
    }

    private static func found() -> String? {
        let file = open(usualFile, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        // One that cannot be read is an error for whoever reads it.
        guard file >= 0 else { return errno == ENOENT ? nil : usualFile }
        defer { close(file) }
        guard let owner = try? FileFacts(of: file).owner else { return nil }
        return owner == geteuid() || owner == 0 ? usualFile : nil
    }
}
