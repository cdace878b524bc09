import PipelineIR

/// What a declared step reads and writes, as globs beneath the workspace.
struct Footprint {
    var inputs: [Glob]
    var outputs: [Glob]

    init(inputs: [String], outputs: [String]) {
        self.inputs = inputs.map(Glob.init)
        self.outputs = outputs.map(Glob.init)
    }

    /// The footprint of a step that declares both; nil when it may touch anything.
    init?(_ step: Step) {
        guard let options = step.options, let inputs = options.inputs, let outputs = options.outputs
        else { return nil }
        self.init(inputs: inputs, outputs: outputs)
    }
}

/// A glob, taken apart once so that many can be compared with each other.
struct Glob {
    /// What a component of the path must begin and end with.
    struct Component: Hashable {
        /// Whether it stands for any number of components.
        let isDeep: Bool
        /// Whether it stands for more than the one name it spells.
        let isWild: Bool
        /// What it begins with; the whole name when it is not wild.
        let head: [UInt8]
        /// From its last byte to its first.
        private let tail: [UInt8]

        init(_ text: Substring.UTF8View) {
            isDeep = text.elementsEqual("**".utf8)
            let first = text.firstIndex(where: Self.isWild)
            let last = text.lastIndex(where: Self.isWild)
            isWild = first != nil
            head = Array(text[..<(first ?? text.endIndex)])
            tail = text[(last.map { text.index(after: $0) } ?? text.startIndex)...].reversed()
        }

        private static func isWild(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "]"),
                UInt8(ascii: "{"), UInt8(ascii: "}"):
                true
            default: false
            }
        }

        /// Whether one name may match both; unsure means yes.
        func mayMatch(_ other: Component) -> Bool {
            if !isWild, !other.isWild { return head == other.head }
            return Self.agree(head, other.head) && Self.agree(tail, other.tail)
        }

        /// Whether a name may match; unsure means yes.
        func mayMatch(name: [UInt8]) -> Bool {
            Self.agree(head, name) && zip(tail, name.reversed()).allSatisfy { $0 == $1 }
        }

        private static func agree(_ a: [UInt8], _ b: [UInt8]) -> Bool {
            for index in 0..<min(a.count, b.count) where a[index] != b[index] { return false }
            return true
        }
    }

    let components: [Component]

    init(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"))
        components = parts.filter { !$0.elementsEqual(".".utf8) }
            .map { Component(Substring($0).utf8) }
    }
}
