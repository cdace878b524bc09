internal import PipelineIR

/// What an action's key was made of, kept with its result so that two can be compared.
///
/// One traversal of the action gives both: the key is the digest of the facts, and one of them is
/// the digest of the input tree, whose files stand beside them.
package struct Manifest: Sendable, Equatable {
    /// What a fact is about. The raw values are part of keys: they never change their meaning.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case schema = 0
        case script = 1
        case argument = 2
        case variable = 3
        case secret = 4
        case image = 5
        case host = 6
        case platform = 7
        case workdir = 8
        case output = 9
        case capture = 10
        case service = 11
        case network = 12
        case scope = 13
        case inputs = 14
    }

    /// One thing that the result may depend on.
    package struct Fact: Sendable, Hashable {
        package var kind: Kind
        /// Empty where there is but one of the kind.
        package var name: String
        package var value: String
    }

    /// In the order of the traversal.
    package let facts: [Fact]
    /// The files behind the fact `inputs`.
    package let inputs: FileTree

    /// The version of the traversal; a new one makes all old keys unreachable.
    static let schema = "1"

    /// Writes down what an action is made of. Throws when it refers to a result.
    package init(_ action: Action) throws(ActionError) {
        var facts = [Fact(kind: .schema, name: "", value: Self.schema)]
        func add(_ kind: Kind, name: String = "", _ value: String) {
            facts.append(Fact(kind: kind, name: name, value: value))
        }
        switch action.command {
        case .script(let script): add(.script, try ReferenceText(script).text)
        case .argv(let arguments):
            for (position, argument) in arguments.enumerated() {
                add(.argument, name: "\(position)", try ReferenceText(argument).text)
            }
        }
        for variable in action.environment.sorted(by: { Self.precedes($0.name, $1.name) }) {
            add(.variable, name: variable.name, try ReferenceText(variable.value).text)
        }
        for secret in action.secretVersions.sorted(by: { Self.precedes($0.name, $1.name) }) {
            add(.secret, name: secret.name, secret.value)
        }
        switch action.machine {
        case .image(let digest): add(.image, digest)
        case .host(let fingerprint): add(.host, fingerprint)
        }
        add(.platform, action.platform)
        add(.workdir, action.workdir)
        for glob in Self.unique(action.outputs) { add(.output, name: glob, "") }
        add(.capture, action.captures ? "yes" : "no")
        for service in action.services {
            add(.service, name: service.name, try Self.text(of: service))
        }
        add(.network, action.network)
        add(.scope, action.scope)
        add(.inputs, action.inputs.digest.hex)
        self.facts = facts
        inputs = action.inputs
    }

    /// The key of the action.
    package var key: ActionKey { ActionKey(Digest(of: factBytes)) }

    /// Sorted by bytes, each once. Texts that only look alike are different globs.
    private static func unique(_ globs: [String]) -> [String] {
        let sorted = globs.sorted(by: precedes)
        return sorted.reduce(into: []) { unique, glob in
            if unique.last?.utf8.elementsEqual(glob.utf8) != true { unique.append(glob) }
        }
    }

    private static func precedes(_ a: String, _ b: String) -> Bool {
        a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    /// Everything of a service that can be seen by a step, with each part's length before it.
    private static func text(of service: Service) throws(ActionError) -> String {
        var parts = [service.image, try ReferenceText(service.ready).text]
        for variable in service.env {
            parts += [variable.name, try ReferenceText(variable.value).text]
        }
        parts.append(service.ports.map(String.init).joined(separator: ","))
        return parts.map { "\($0.utf8.count):\($0)" }.joined(separator: " ")
    }

    // MARK: Bytes

    private var factBytes: [UInt8] {
        var writer = WireWriter()
        for fact in facts {
            writer.varint(UInt64(fact.kind.rawValue))
            writer.varint(UInt64(fact.name.utf8.count))
            writer.append(Array(fact.name.utf8))
            writer.varint(UInt64(fact.value.utf8.count))
            writer.append(Array(fact.value.utf8))
        }
        return writer.bytes
    }

    /// The form that is kept: the facts with their length, then the `Tree` message of the inputs.
    package func encoded() -> [UInt8] {
        var writer = WireWriter()
        let facts = factBytes
        writer.varint(UInt64(facts.count))
        writer.append(facts)
        writer.append(inputs.encoded().tree)
        return writer.bytes
    }

    /// Reads the kept form; `nil` when it is damaged or of another version.
    package init?(encoded bytes: [UInt8]) {
        var reader = WireReader(bytes[...])
        guard let block = reader.counted(), let tree = FileTree(tree: Array(reader.remaining))
        else { return nil }
        var facts: [Fact] = []
        var rest = WireReader(block)
        while !rest.isAtEnd {
            guard let number = rest.varint(), number <= UInt64(UInt8.max),
                let kind = Kind(rawValue: UInt8(number)), let name = rest.counted(),
                let value = rest.counted()
            else { return nil }
            facts.append(
                Fact(
                    kind: kind, name: String(decoding: name, as: UTF8.self),
                    value: String(decoding: value, as: UTF8.self)))
        }
        self.facts = facts
        inputs = tree
    }
}
