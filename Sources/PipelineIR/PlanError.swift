/// Why a plan is refused.
package struct PlanError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of mistake it is.
    package enum Reason: String, Sendable {
        /// Not JSON, or not the message that the protobuf schema describes.
        case syntax
        /// Over one of `PlanLimits`.
        case limit
        /// Another version of the schema.
        case version
        /// A key or a type that the schema does not have.
        case schema
        /// A value that the schema allows and its meaning does not.
        case value
        /// A step, condition, frame or group that is not there, or does not stand before.
        case reference
        /// Steps that wait for each other.
        case cycle
    }

    /// What kind of mistake it is, for programs.
    package var reason: Reason
    /// Where in the plan.
    package var path: PlanPath
    /// One sentence that names the thing.
    package var message: String
    /// What to do about it; `nil` where the message says all.
    package var hint: String?
    /// Where in the text, when the plan was read from JSON.
    package var position: Position?

    /// A place in a text. Both are 1-based; columns count UTF-8 bytes.
    package struct Position: Sendable, Equatable {
        /// The line's number, from 1.
        package var line: Int
        /// The byte in the line, from 1.
        package var column: Int
        /// Takes 1-based numbers.
        package init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }
    }

    /// Refuses a plan for one mistake.
    package init(
        _ reason: Reason, _ path: PlanPath, _ message: String, hint: String? = nil,
        position: Position? = nil
    ) {
        self.reason = reason
        self.path = path
        self.message = message
        self.hint = hint
        self.position = position
    }

    /// `3:17: $.steps[0].needs[1]: message`, and the hint on a line of its own.
    package var description: String {
        let place = position.map { "\($0.line):\($0.column): " } ?? ""
        return "\(place)\(path): \(message)" + (hint.map { "\n  hint: \($0)" } ?? "")
    }
}

/// A place in a plan, printed as a JSON path such as `$.steps[3].env["A B"]`.
package struct PlanPath: Sendable, Hashable, CustomStringConvertible, ExpressibleByArrayLiteral {
    /// One turn of the way.
    package enum Element: Sendable, Hashable {
        case key(String)
        case index(Int)
    }
    /// From the root of the plan to the place; empty is the root.
    package var elements: [Element]

    /// Takes the way from the root.
    package init(_ elements: [Element]) { self.elements = elements }
    /// Takes the way from the root, as a literal.
    package init(arrayLiteral elements: Element...) { self.elements = elements }

    /// The place of a field of what stands here.
    package func key(_ name: String) -> PlanPath { PlanPath(elements + [.key(name)]) }
    /// The place of an element of what stands here.
    package func at(_ index: Int) -> PlanPath { PlanPath(elements + [.index(index)]) }

    /// The JSON path, with long and unusual keys in brackets.
    package var description: String {
        var text = "$"
        for element in elements {
            switch element {
            case .index(let index): text += "[\(index)]"
            case .key(let name) where Self.isPlain(name): text += ".\(name)"
            case .key(let name):
                var json = JSONWriter()
                json.string(name.count > 64 ? String(name.prefix(64)) + "…" : name)
                text += "[" + String(decoding: json.bytes, as: UTF8.self) + "]"
            }
        }
        return text
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x5F }
    }
}

/// Bounds on a plan, checked before anything is allocated for what exceeds them.
package enum PlanLimits {
    /// Bytes of a plan in JSON or protobuf.
    package static let bytes = 64 << 20
    /// UTF-8 bytes of one string.
    package static let stringBytes = 1 << 20
    /// Objects and arrays inside each other.
    package static let depth = 64
    /// Steps of a plan.
    package static let steps = 100_000
    /// Edges of a plan, of all kinds together.
    package static let edges = 1_000_000
    /// Values of a JSON text, of all kinds together.
    package static let values = 8_000_000
    /// String operations inside each other, so that a template fits `depth`.
    package static let operations = 28
    /// UTF-8 bytes of a step's id.
    package static let idBytes = 4096
}

extension UInt8 {
    var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
    var isASCIILetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }
}
