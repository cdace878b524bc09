/// What is kept of a step that failed, so that a person can look around where it did.
///
/// Texts hold a mark in place of each secret, which `SecretMarks` fills in; no value is ever kept.
package struct FailedStep: Equatable {
    /// What it ran.
    package enum Command: Equatable {
        case script(String)
        case argv([String])
    }

    /// A part of its workspace, from the lowest.
    enum Part: Equatable {
        /// A folder among those that are kept of the job.
        case layer(String)
        /// Files of the cache, by the digest of their tree.
        case tree(String)
    }

    /// A container that ran beside it.
    struct Service: Equatable {
        var name = ""
        var image = ""
        /// `NAME=value`.
        var variables: [String] = []
        var ports: [UInt32] = []
        var ready = ""
        var readyMilliseconds: UInt64 = 0
    }

    /// What the danubefile calls it.
    package var name = ""
    /// Absolute path of the repository.
    package var repository = ""
    /// How it ended: `exit code 1`.
    package var ending = ""
    /// Whether it ran in the working copy.
    package var isInPlace = false
    /// Absolute path of the folder that was its workspace.
    package var folder = ""
    /// Where in the workspace it ran.
    package var workdir = ""
    /// What it ran.
    package var command = Command.script("")
    /// Its variables, `NAME=value`, without those whose values held what is secret.
    package var variables: [String] = []
    /// Names of those variables.
    package var hiddenVariables: [String] = []
    /// Whether the command holds `***` where another step had printed a secret.
    package var isCommandHidden = false
    /// The image that it ran in, as the danubefile names it; empty for none.
    package var image = ""
    /// The same by its digest, where that is known.
    var imageID = ""
    /// What ran beside it.
    var services: [Service] = []
    /// What its workspace is made of; nothing for the working copy.
    var parts: [Part] = []

    /// Creates a record to be filled in.
    init() {}
}

extension FailedStep {
    private static let version = "danube failed step 1"

    /// The record in the wire format of protocol buffers.
    func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.field(1, Self.version.utf8)
        for (number, text) in zip(2..., [name, repository, ending, folder, workdir]) {
            writer.field(UInt64(number), text.utf8)
        }
        writer.field(7, isInPlace ? 1 : 0)
        switch command {
        case .script(let text): writer.field(8, text.utf8, always: true)
        case .argv(let words): for word in words { writer.field(9, word.utf8, always: true) }
        }
        for variable in variables { writer.field(10, variable.utf8) }
        for name in hiddenVariables { writer.field(11, name.utf8) }
        writer.field(12, isCommandHidden ? 1 : 0)
        writer.field(13, image.utf8)
        writer.field(14, imageID.utf8)
        for service in services { writer.field(15, service.encoded(), always: true) }
        for part in parts {
            switch part {
            case .layer(let name): writer.field(16, name.utf8)
            case .tree(let digest): writer.field(17, digest.utf8)
            }
        }
        return writer.bytes
    }

    /// Reads a record; `nil` when the bytes are none.
    init?(encoded bytes: [UInt8]) {
        var reader = WireReader(bytes[...])
        var version = ""
        var words: [String] = []
        while let (number, value) = reader.next() {
            switch value {
            case .number(let flag):
                if number == 7 { isInPlace = flag != 0 }
                if number == 12 { isCommandHidden = flag != 0 }
            case .bytes(let bytes):
                let text = String(decoding: bytes, as: UTF8.self)
                switch number {
                case 1: version = text
                case 9: words.append(text)
                case 15:
                    guard let service = Service(encoded: bytes) else { return nil }
                    services.append(service)
                default: take(number, text)
                }
            case .skipped: break
            }
        }
        if !words.isEmpty { command = .argv(words) }
        guard reader.isValid, version == Self.version, folder.hasPrefix("/") else { return nil }
        let names = parts.map { part in
            switch part {
            case .layer(let name), .tree(let name): name
            }
        }
        // They are names in a folder.
        guard names.allSatisfy({ $0.utf8.allSatisfy(Self.isPlain) }) else { return nil }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte >= 0x61 && byte <= 0x66
    }

    private mutating func take(_ number: UInt64, _ text: String) {
        switch number {
        case 2: name = text
        case 3: repository = text
        case 4: ending = text
        case 5: folder = text
        case 6: workdir = text
        case 8: command = .script(text)
        case 10: variables.append(text)
        case 11: hiddenVariables.append(text)
        case 13: image = text
        case 14: imageID = text
        case 16: parts.append(.layer(text))
        case 17: parts.append(.tree(text))
        default: break
        }
    }
}

extension FailedStep.Service {
    fileprivate func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.field(1, name.utf8)
        writer.field(2, image.utf8)
        for variable in variables { writer.field(3, variable.utf8) }
        for port in ports { writer.field(4, UInt64(port)) }
        writer.field(5, ready.utf8)
        writer.field(6, readyMilliseconds)
        return writer.bytes
    }

    fileprivate init?(encoded bytes: ArraySlice<UInt8>) {
        var reader = WireReader(bytes)
        while let (number, value) = reader.next() {
            switch (number, value) {
            case (1, .bytes(let text)): name = String(decoding: text, as: UTF8.self)
            case (2, .bytes(let text)): image = String(decoding: text, as: UTF8.self)
            case (3, .bytes(let text)): variables.append(String(decoding: text, as: UTF8.self))
            case (4, .number(let port)):
                guard let port = UInt32(exactly: port) else { return nil }
                ports.append(port)
            case (5, .bytes(let text)): ready = String(decoding: text, as: UTF8.self)
            case (6, .number(let count)): readyMilliseconds = count
            default: break
            }
        }
        if !reader.isValid { return nil }
    }
}
