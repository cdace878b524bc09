import PipelineIR

/// Builds a recording from the evaluator's frames, which are hostile: everything is checked.
struct RecordingReader {
    private(set) var recording = Recording()
    private let limits: Limits
    private var node: PathNode
    /// Decisions of the path that is being read, outermost first.
    private var spine: [Decision] = []
    /// Tokens of the path so far.
    private var position: Int32 = 0
    private var scopes: [Scope] = []
    /// The next token must be the other answer to this decision.
    private var flipped: (predicate: RecordedPredicate, frame: Int32, answer: Bool)?
    private var ended = true
    /// For each frame, how many calls are around it.
    private var depths: [Int32] = []
    /// Steps and artifacts of the path so far, with the positions of their tokens.
    private var events: [(position: Int32, event: RecordedEvent)] = []
    /// Open `finally` blocks, innermost last: the `try` of each, where anything happened in it.
    private var finals: [RecordedTry?] = []
    private var noteCount = 0
    private var tokenCount = 0
    /// Reads templates and predicates; knows the steps of the path so far.
    private var values = RecordingValues()

    private struct Decision {
        var node: PathNode
        var position: Int32
        var steps: Int
        var scopes: [Scope]
        var events: Int
        var finals: [RecordedTry?]
        var answer: Bool
    }

    /// Calls within each other. Python itself ends at a thousand unless it is told otherwise.
    private static let callLimit = 1000
    /// Tokens of all paths for each step that a plan may have.
    private static let tokensPerStep = 10

    private enum Scope { case parallel, sequence, ifFirst, ifSecond }

    /// Reads within limits.
    init(limits: Limits) {
        self.limits = limits
        node = recording.root
    }

    /// A path begins that shares so many tokens with the one before it; -1 begins anew.
    mutating func beginPath(_ payload: [UInt8]) throws(RecordingError) {
        let shared = try Self.wrap { () throws(MarshalError) in
            var reader = MarshalReader(payload)
            try reader.expectTuple(of: 1)
            let shared = try reader.expectInt()
            try reader.expectEnd()
            return shared
        }
        if shared < 0 {
            recording.steps.removeAll(keepingCapacity: true)
            recording.uploads.removeAll()
            recording.root = PathNode()
            recording.pathCount = 1
            node = recording.root
            spine.removeAll()
            values.ordinals.removeAll()
            scopes.removeAll()
            events.removeAll()
            finals.removeAll()
            position = 0
            flipped = nil
            ended = false
            return
        }
        guard ended else { throw .schema("a path begins before the one before it ended") }
        recording.pathCount += 1
        guard recording.pathCount <= limits.paths else {
            throw .tooMany("paths", limit: limits.paths)
        }
        while let last = spine.last, last.position > shared { spine.removeLast() }
        guard let last = spine.popLast(), last.position == shared,
            case .decision(let predicate, let frame, let yes, let no) = last.node.end,
            (last.answer ? no : yes) == nil
        else { throw .schema("a path shares tokens up to no open decision") }
        node = last.node
        position = shared
        values.ordinals.removeSubrange(last.steps...)
        scopes = last.scopes
        events.removeSubrange(last.events...)
        finals = last.finals
        flipped = (predicate, frame, !last.answer)
        ended = false
    }

    /// Tokens of the current path.
    mutating func tokens(_ payload: [UInt8]) throws(RecordingError) {
        var reader = MarshalReader(payload)
        let count = try Self.wrap { () throws(MarshalError) in try reader.expectTuple() }
        for _ in 0..<count {
            try token(&reader)
        }
        guard reader.isAtEnd else { throw .schema("bytes follow the tokens") }
    }

    /// The recording, once every path has ended.
    func finished() throws(RecordingError) -> Recording {
        guard ended, recording.pathCount > 0 else { throw .schema("a path did not end") }
        var todo = [recording.root]
        while let one = todo.popLast() {
            switch one.end {
            case .open: throw .schema("a path did not end")
            case .exit: break
            case .decision(_, _, let yes, let no):
                guard let yes, let no else { throw .schema("a decision has one answer only") }
                todo += [yes, no]
            }
        }
        return recording
    }

    static func wrap<T>(_ body: () throws(MarshalError) -> T) throws(RecordingError) -> T {
        do { return try body() } catch { throw .marshal(error) }
    }

    private mutating func token(_ reader: inout MarshalReader) throws(RecordingError) {
        do {
            let count = try reader.expectTuple()
            guard count > 0 else { throw RecordingError.schema("an empty token") }
            let opcode = try reader.expectInt()
            if opcode == 13 { return try frame(&reader, count) }
            guard !ended else { throw RecordingError.schema("a token outside a path") }
            tokenCount += 1
            guard tokenCount <= limits.steps * Self.tokensPerStep else {
                throw RecordingError.tooMany(
                    "recorded events", limit: limits.steps * Self.tokensPerStep)
            }
            if opcode == 3 { return try decision(&reader, count) }
            guard flipped == nil else { throw RecordingError.schema("a decision was expected") }
            position += 1
            try other(opcode, &reader, count)
        } catch let error as MarshalError {
            throw .marshal(error)
        } catch let error as RecordingError {
            throw error
        } catch {
            throw .schema("\(error)")
        }
    }

    /// Fields of each token, by its opcode.
    private static let widths = [6, 5, 3, 4, 2, 1, 1, 4, 1, 3, 1, 2, 6, 9, 2, 1]

    private mutating func other(_ opcode: Int32, _ reader: inout MarshalReader, _ count: Int) throws
    {
        guard (0...15).contains(opcode), Self.widths[Int(opcode)] == count else {
            throw RecordingError.schema("token \(opcode) has \(count) fields")
        }
        switch opcode {
        case 0: try step(&reader)
        case 1:
            let frame = try frameNumber(&reader)
            let path = try values.template(&reader)
            recording.uploads.append(
                RecordedUpload(
                    frame: frame, path: path, name: try reader.optionalString(),
                    junit: try reader.expectBool(), cleanup: finals.last ?? nil))
            let number = Int32(recording.uploads.count - 1)
            node.tokens.append(.upload(number))
            events.append((position, .upload(number)))
            try bounded(recording.uploads.count, "artifacts")
        case 2:
            let frame = try frameNumber(&reader)
            node.tokens.append(.note(try values.template(&reader), frame: frame))
            noteCount += 1
            guard noteCount <= limits.steps else {
                throw RecordingError.tooMany("notes", limit: limits.steps)
            }
        case 4:
            node.tokens.append(.ifBegin(try values.predicate(&reader)))
            try open(.ifFirst)
        case 5:
            try close(.ifFirst)
            try open(.ifSecond)
            node.tokens.append(.ifElse)
        case 6:
            try close(.ifSecond)
            node.tokens.append(.ifEnd)
        case 7:
            let frame = try frameNumber(&reader)
            node.tokens.append(
                .parallelBegin(
                    frame: frame, name: try reader.expectString(),
                    failFast: try reader.expectBool()))
            try open(.parallel)
        case 8:
            try close(.parallel)
            node.tokens.append(.parallelEnd)
        case 9:
            let frame = try frameNumber(&reader)
            node.tokens.append(.sequenceBegin(frame: frame, name: try reader.expectString()))
            try open(.sequence)
        case 10:
            try close(.sequence)
            node.tokens.append(.sequenceEnd)
        case 11: node.tokens.append(.resolve(try values.ordinal(try reader.expectInt())))
        case 14: try openFinally(since: try reader.expectInt())
        case 15: try closeFinally()
        default: try exit(&reader)
        }
    }

    /// A `finally` begins. Its `try` did when so many tokens were there.
    private mutating func openFinally(since start: Int32) throws(RecordingError) {
        guard finals.count < Self.callLimit else {
            throw .tooMany("`finally` within each other", limit: Self.callLimit)
        }
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].position <= start { low = middle + 1 } else { high = middle }
        }
        if low < events.count, let last = events.last {
            finals.append(RecordedTry(first: events[low].event, last: last.event))
        } else {
            // Nothing happened in it: only what is around it can have been cancelled.
            finals.append(finals.last ?? nil)
        }
    }

    private mutating func closeFinally() throws(RecordingError) {
        guard finals.popLast() != nil else {
            throw .schema("a `finally` ends that did not begin")
        }
    }

    private func bounded(_ count: Int, _ what: String) throws(RecordingError) {
        // A path that is merged away still counts, so the bound is on all paths together.
        let limit = limits.steps * 8
        if count > limit { throw .tooMany(what, limit: limit) }
    }

    private mutating func open(_ scope: Scope) throws(RecordingError) {
        scopes.append(scope)
        guard scopes.count <= limits.nesting else {
            throw .tooMany("nested blocks", limit: limits.nesting)
        }
    }

    private mutating func close(_ scope: Scope) throws(RecordingError) {
        guard scopes.last == scope else { throw .schema("a block ends that is not the innermost") }
        scopes.removeLast()
    }

    private mutating func step(_ reader: inout MarshalReader) throws {
        let frame = try frameNumber(&reader)
        let name = try reader.optionalString()
        values.sawUntrusted = false
        let command = try values.command(&reader)
        let untrusted = values.sawUntrusted
        let flags = try reader.expectInt()
        guard (0...7).contains(flags) else { throw RecordingError.schema("flags of a step") }
        let options = try values.options(&reader)
        guard values.ordinals.count < limits.steps else {
            throw RecordingError.tooMany("steps", limit: limits.steps)
        }
        recording.steps.append(
            RecordedStep(
                frame: frame, name: name, command: command, check: flags & 1 != 0,
                capture: flags & 2 != 0, handled: flags & 4 != 0, untrusted: untrusted,
                cleanup: finals.last ?? nil, options: options))
        try bounded(recording.steps.count, "steps on all paths")
        let number = Int32(recording.steps.count - 1)
        values.ordinals.append(number)
        node.tokens.append(.step(number))
        events.append((position, .step(number)))
    }

    private mutating func decision(_ reader: inout MarshalReader, _ count: Int) throws {
        guard count == 4 else { throw RecordingError.schema("a decision has \(count) fields") }
        guard scopes.allSatisfy({ $0 == .parallel || $0 == .sequence }) else {
            throw RecordingError.schema(
                "a decision inside a branch that is evaluated on both sides")
        }
        // Both answers of each are paths, and a longer chain could not even be let go of: the
        // nodes are freed one inside the other.
        guard spine.count < limits.paths else {
            throw RecordingError.tooMany("paths", limit: limits.paths)
        }
        let predicate = try values.predicate(&reader)
        let answer = try reader.expectBool()
        let frame = try frameNumber(&reader)
        let child = PathNode()
        if let expected = flipped {
            // The evaluator repeats the predicate; what was recorded first stands.
            guard answer == expected.answer,
                case .decision(let p, let f, let yes, let no) = node.end
            else { throw RecordingError.schema("a decision was answered as before") }
            node.end =
                answer
                ? .decision(p, frame: f, yes: child, no: no)
                : .decision(p, frame: f, yes: yes, no: child)
            flipped = nil
        } else {
            guard case .open = node.end else { throw RecordingError.schema("a path goes on") }
            node.end = .decision(
                predicate, frame: frame, yes: answer ? child : nil, no: answer ? nil : child)
            spine.append(
                Decision(
                    node: node, position: position, steps: values.ordinals.count, scopes: scopes,
                    events: events.count, finals: finals, answer: answer))
        }
        position += 1
        node = child
    }

    private mutating func exit(_ reader: inout MarshalReader) throws {
        let kinds: [Exit.Kind] = [.success, .failure, .live]
        let kind = try reader.expectInt()
        guard (0..<3).contains(kind) else { throw RecordingError.schema("an exit's kind") }
        guard !scopes.contains(.ifFirst), !scopes.contains(.ifSecond) else {
            throw RecordingError.schema("a path ends inside a branch")
        }
        let message = try reader.expectString()
        let frame = try frameNumber(&reader)
        node.end = .exit(
            RecordedExit(
                kind: kinds[Int(kind)], message: message, frame: frame,
                code: try reader.expectString(), expression: try reader.expectString()))
        ended = true
    }

    private func frameNumber(_ reader: inout MarshalReader) throws -> Int32 {
        let number = try reader.expectInt()
        guard number >= 0, Int(number) <= recording.frames.count else {
            throw RecordingError.schema("frame \(number) is not known")
        }
        return number
    }

    private mutating func frame(_ reader: inout MarshalReader, _ count: Int) throws {
        guard count == 9, Int(try reader.expectInt()) == recording.frames.count + 1 else {
            throw RecordingError.schema("a frame out of turn")
        }
        let parent = try frameNumber(&reader)
        let depth = parent > 0 ? depths[Int(parent) - 1] + 1 : 1
        guard depth <= Self.callLimit else {
            throw RecordingError.tooMany("calls within each other", limit: Self.callLimit)
        }
        depths.append(depth)
        let file = try reader.expectString()
        var numbers: [Int32] = []
        for _ in 0..<4 { numbers.append(max(0, try reader.expectInt())) }
        recording.frames.append(
            Frame(
                file: file, line: numbers[0], column: numbers[1], endLine: numbers[2],
                endColumn: numbers[3], function: try reader.expectString(),
                parent: Recording.frameIndex(parent)))
        try bounded(recording.frames.count, "call stacks")
    }
}
