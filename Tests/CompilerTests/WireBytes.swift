import PipelineIR
import Testing

@testable import Compiler

/// Protobuf written and read by hand, to say what the generated messages cannot.
enum WireBytes {
    static let schema = "proto/danube/plan/v1/plan.proto"

    static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] {
        varint(field << 3) + varint(value)
    }

    static func bytes(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(content.count)) + content
    }

    static func text(_ field: UInt64, _ content: String) -> [UInt8] {
        bytes(field, Array(content.utf8))
    }

    /// A plan with one step, of which `step` are more fields.
    static func plan(step: [UInt8] = [], _ rest: [UInt8] = []) -> [UInt8] {
        number(1, 1) + text(2, "p") + bytes(5, text(1, "a") + text(2, "a") + step) + rest
    }

    /// Steps that each wait for the one before.
    static func chain(of count: Int) -> Plan {
        var plan = Plan(pipeline: "p")
        for index in 0..<count {
            var step = Step(id: "s\(index)", name: "s", command: .script(Template("echo \(index)")))
            if index > 0 { step.order = [StepIndex(index - 1)] }
            plan.steps.append(step)
        }
        return plan
    }

    /// A plan whose second step has operations inside each other.
    static func nested(_ depth: Int) -> Plan {
        var plan = chain(of: 2)
        plan.steps[0].capture = true
        var value = Template(parts: [.output(StepIndex(0))])
        for _ in 0..<depth {
            value = Template(parts: [.operation(Template.Operation(name: .strip, base: value))])
        }
        var service = Service(
            name: "s", image: "i", env: [], ports: [], ready: .empty, readyTimeoutMilliseconds: 0)
        service.env = [EnvVar(name: "A", value: value)]
        plan.steps[1].options = Step.Options()
        plan.steps[1].options?.services = [service]
        plan.steps[1].data = [StepIndex(0)]
        plan.steps[1].order = []
        return plan
    }

    /// All fields that a message has, also in messages inside it, as `step.id`.
    static func fields(in bytes: ArraySlice<UInt8>, of message: WireMessage) -> Set<String> {
        var found: Set<String> = []
        var rest = bytes
        func varint() -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        while !rest.isEmpty {
            let tag = varint()
            guard let field = message.list.first(where: { $0.number == Int(tag >> 3) }) else {
                return found
            }
            found.insert("\(message).\(field.name)")
            switch tag & 7 {
            case 0: _ = varint()
            case 1: rest = rest.dropFirst(8)
            default:
                let content = rest.prefix(Int(varint()))
                let length = content.count
                let inner = rest.prefix(length)
                rest = rest.dropFirst(length)
                if case .message(let message) = field.kind {
                    found.formUnion(fields(in: inner, of: message))
                }
            }
        }
        return found
    }

    // MARK: The schema's text

    /// `number name type`, with `repeated` or `oneof` before it.
    static func describe(_ field: WireField) -> String {
        let prefix = field.isRepeated ? "repeated " : field.isChoice ? "oneof " : ""
        let kind =
            switch field.kind {
            case .number(1): field.name == "kind" ? "enum 1" : "bool"
            case .number(UInt64(UInt32.max)): "uint32"
            case .number(.max): "64"
            case .number(let most): "enum \(most)"
            case .double: "double"
            case .text: "string"
            case .message(let message): "\(message)"
            }
        return "\(prefix)\(field.number) \(field.name) \(kind)"
    }

    /// The same of every message in a schema's text.
    static func messages(inSchema text: String) -> [String: [String]] {
        var words = text.split(separator: "\n").map { line in
            line.split(separator: "//", omittingEmptySubsequences: false)[0]
        }.joined(separator: " ").replacing("{", with: " { ").replacing("}", with: " } ")
            .replacing(";", with: " ; ").split(separator: " ").map(String.init)[...]
        let largest = enumerations(words)
        var found: [String: [String]] = [:]
        while let start = words.firstIndex(of: "message") {
            let name = words[start + 1]
            words = words[(start + 3)...]
            var fields: [String] = []
            var isChoice = false
            while let word = words.first, word != "}" || isChoice {
                if word == "oneof" || word == "}" {
                    isChoice = word == "oneof"
                    words = words.dropFirst(isChoice ? 3 : 1)
                    continue
                }
                var field = Array(words.prefix { $0 != ";" })
                words = words.dropFirst(field.count + 1)
                let prefix = field[0] == "repeated" ? "repeated " : isChoice ? "oneof " : ""
                if field[0] == "repeated" { field.removeFirst() }
                let type = field[0]
                let kind =
                    largest[type].map { "enum \($0)" }
                    ?? ["uint64": "64", "sint64": "64"][type]
                    ?? (type.first?.isUppercase == true
                        ? type.prefix(1).lowercased() + type.dropFirst() : type)
                fields.append("\(prefix)\(field[3]) \(field[1]) \(kind)")
            }
            found[name] = fields
        }
        return found
    }

    /// The largest number of each enumeration.
    private static func enumerations(_ words: ArraySlice<String>) -> [String: Int] {
        var found: [String: Int] = [:]
        for index in words.indices where words[index] == "enum" {
            let body = words[(index + 3)...].prefix { $0 != "}" }
            found[words[index + 1]] = body.compactMap { Int($0) }.max()
        }
        return found
    }

    // MARK: A plan with everything

    static let everything = """
        {"version":1,"pipeline":"p","entry":"danubefile.py:p","description":"d","image":"i",
        "concurrency":"g","concurrency_rule":"queue(2)",
        "parameters":[{"name":"n","type":"int","value":1}],
        "context":[{"name":"branch","value":"b"}],
        "sources":[{"kind":"listing","path":"x","digest":"\(String(repeating: "a", count: 64))"}],
        "frames":[{"file":"f","line":1,"column":2,"end_line":3,"end_column":4,"function":"g"},
        {"file":"f","parent":0}],
        "groups":[{"kind":"parallel","name":"g","fail_fast":true,"frame":0},
        {"kind":"sequence","parent":0}],
        "conditions":[{"code":{"step":"b","in":[[1,2]]}},
        {"compare":{"operator":"==","left":["x",{"output":"b"}],"right":"y"}},
        {"all":[0,1]},{"any":[0,1]},{"not":1},{"ok":"b"},
        {"defined":[{"op":"split","base":[{"output":"b"}],"args":[","],"index":-2,"limit":3}]}],
        "notes":[{"text":["t",{"secret":"S"},{"code":"b"}],"when":1,"frame":1,"after":2}],
        "exits":[{"kind":"live","when":0,"message":"m","frame":1,"code":"DNB201","expression":"e"}],
        "steps":[{"id":"a","run":"a"},
        {"id":"b","name":"B","run":{"argv":["x","y"]},"capture":true,"check":false,"fatal":false},
        {"id":"c","run":"c","check":true,"image":"i","env":{"A":["v",{"secret":"S"}]},
        "workdir":"w","when":0,"timeout_ms":5,"cache":false,"frame":1,"group":1,
        "retry":{"attempts":1,"delay_ms":2,"backoff":1.5,"on_codes":[3]},
        "resources":{"cpu_milli":1,"memory_bytes":2,"disk_bytes":3,"gpu":4},
        "inputs":["i"],"outputs":["o"],"after":["a","b"],"data":["b"],"conditional":["a"],
        "needs":["a"],"cleanup":["a","b"],"matrix":{"k":"v"},
        "services":[{"name":"s","image":"i","env":{"A":"b"},
        "ports":[80],"ready":["r",{"code":"b"}],"ready_timeout_ms":9}]},
        {"id":"d","kind":"upload","run":"","upload":{"path":"p","name":"n","junit":true}}]}
        """
}
