internal import Glibc

/// What a run shares with the other runs of a master: how many steps run at once in all of them.
package struct SlotSharing: Sendable {
    /// The folder in which slots are files.
    package var folder: String
    /// How many there are.
    package var count: Int
    /// Whose share a step takes: a team, or a repository.
    package var share: String
    /// The share's weight.
    package var weight: Double

    /// Describes what is shared.
    package init(folder: String, count: Int, share: String, weight: Double) {
        self.folder = folder
        self.count = max(1, count)
        self.share = share
        self.weight = weight.isFinite ? max(0.001, weight) : 1
    }
}

/// Slots that the engines of a master share. A slot is a file which is locked by the engine that
/// runs a step in it, so the kernel frees it with the engine, however that ends.
///
/// Who wants one stands in a line of files, locked likewise. Of those that stand there the next is
/// the one whose share holds the least for its weight, and then the one that came first; all see
/// the same and agree, one after the other (`gate`). One of the line, who holds `turn`, is told by
/// the kernel (inotify) of each file that is given up, and wakes the next: the others sleep until
/// their own file is touched. If that one is killed, another takes the turn after a pause.
final class SharedSlots {
    private struct Ticket {
        var name: String
        var descriptor: Int32
    }

    private struct Waiting {
        var name: String
        var share: String
        var weight: Double
    }

    /// Becomes readable when it is worth asking again; -1 where the kernel has none to give.
    let descriptor: Int32
    private let sharing: SlotSharing
    private let gate: Int32
    private let turn: Int32
    private var held: [Int32] = []
    private var ticket: Ticket?
    /// What the kernel tells of.
    private var watches: [Int32] = []
    /// Whether it is the one of the line that sees slots becoming free.
    private var isWatching = false
    /// Where it begins to look for a slot differs, so that few are looked at.
    private let first: Int
    private static let mostTagBytes = 4096

    private var line: String { "\(sharing.folder)/line" }

    /// Makes what is not there yet.
    init(_ sharing: SlotSharing) throws(WorkspaceError) {
        self.sharing = sharing
        for path in [sharing.folder, "\(sharing.folder)/line"] {
            try Workspaces.makeFolder(path)
        }
        gate = try Self.lockFile("\(sharing.folder)/gate")
        do throws(WorkspaceError) {
            turn = try Self.lockFile("\(sharing.folder)/turn")
        } catch {
            close(gate)
            throw error
        }
        first = Int(MonotonicClock.now() / 1000 % UInt64(sharing.count))
        descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    }

    deinit {
        leave()
        for slot in held { close(slot) }
        if descriptor >= 0 { close(descriptor) }
        close(turn)
        close(gate)
    }

    /// A file that is only locked. It is not opened for writing, so nobody is told when it closes.
    private static func lockFile(_ path: String) throws(WorkspaceError) -> Int32 {
        let file = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .system("open", path: path, errno: errno) }
        return file
    }

    /// Nanoseconds after which one that was told nothing asks again: the kernel tells nothing, or
    /// whoever it would tell may have been killed.
    var pause: UInt64? {
        if descriptor < 0 { return 50_000_000 }
        return isWatching ? nil : 500_000_000
    }

    /// Takes as many slots as there are for this run now, up to a number. It stands in the line
    /// until it has so many, or leaves.
    func take(_ wanted: Int) -> Int {
        guard wanted > 0 else {
            leave()
            return 0
        }
        return withGate {
            var taken = 0
            while taken < wanted {
                if takeOne() {
                    taken += 1
                } else if isWatching || !watch() {
                    break
                }  // else what was given up before it watched is looked for.
            }
            if taken == wanted { leaveLine() }
            return taken
        }
    }

    private func withGate<Value>(_ body: () -> Value) -> Value {
        while flock(gate, LOCK_EX) != 0, errno == EINTR {}
        defer { flock(gate, LOCK_UN) }
        return body()
    }

    /// Whether it is worth asking although nobody said so.
    func isUnwatched() -> Bool { descriptor < 0 || ticket == nil || watch() }

    /// Gives one slot back.
    func release() {
        if let slot = held.popLast() { close(slot) }
    }

    /// Wants none any more.
    func leave() {
        if ticket != nil { withGate { leaveLine() } }
    }

    private func leaveLine() {
        guard let ticket else { return }
        unlink("\(line)/\(ticket.name)")
        close(ticket.descriptor)
        self.ticket = nil
        for watch in watches { inotify_rm_watch(descriptor, watch) }
        watches = []
        if isWatching {
            isWatching = false
            flock(turn, LOCK_UN)
            if let next = waiting().first { wake(next) }
        }
        drain()
    }

    /// Forgets what the kernel told.
    func drain() {
        guard descriptor >= 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 1 << 12)
        while read(descriptor, &buffer, buffer.count) > 0 {}
    }

    private func takeOne() -> Bool {
        let others = waiting()
        if others.isEmpty {
            guard let slot = free() else {
                _ = stand()
                return false
            }
            return hold(slot)
        }
        guard let own = stand() else { return false }
        let used = heldByShare()
        func rank(_ one: Waiting) -> (Double, String) {
            (Double(used[one.share] ?? 0) / one.weight, one.name)
        }
        let mine = rank(Waiting(name: own, share: sharing.share, weight: sharing.weight))
        let earlier = others.filter { rank($0) < mine }
        if earlier.isEmpty, let slot = free() { return hold(slot) }
        let count = sharing.count - used.values.reduce(0, +)
        if isWatching, count > 0 {
            for next in earlier.sorted(by: { rank($0) < rank($1) }).prefix(count) { wake(next) }
        }
        return false
    }

    private func hold(_ slot: Int32) -> Bool {
        held.append(slot)
        // One that has got what it wanted stands at the end for the next.
        leaveLine()
        return true
    }

    /// Becomes the one that is told of what is given up, unless another is.
    private func watch() -> Bool {
        guard !isWatching, ticket != nil, descriptor >= 0, flock(turn, LOCK_EX | LOCK_NB) == 0
        else { return false }
        isWatching = true
        for path in [sharing.folder, line] { notice(path, IN_CLOSE_WRITE) }
        return true
    }

    private func notice(_ path: String, _ events: Int32) {
        let watch = inotify_add_watch(descriptor, path, UInt32(events))
        if watch >= 0 { watches.append(watch) }
    }

    /// Has another of the line ask.
    private func wake(_ other: Waiting) { utime("\(line)/\(other.name)", nil) }

    /// Stands in the line, and gives the name there.
    private func stand() -> String? {
        if let ticket { return ticket.name }
        let digits = String(MonotonicClock.now())
        // Engines may have one process id, each in a namespace of its own.
        let unique = UInt32.random(in: 0 ... .max)
        let name = String(repeating: "0", count: max(0, 20 - digits.count)) + digits + ".\(unique)"
        let path = "\(line)/\(name)"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return nil }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        tag(file, "\(sharing.weight) \(sharing.share)")
        ticket = Ticket(name: name, descriptor: file)
        if descriptor >= 0 { notice(path, IN_ATTRIB) }
        return name
    }

    /// The others in the line. What one left that was killed is removed.
    private func waiting() -> [Waiting] {
        let names = (try? FileComparison.names(in: line.joined(.root))) ?? []
        return names.compactMap { bytes in
            let name = String(decoding: bytes, as: UTF8.self)
            if name == ticket?.name { return nil }
            let path = "\(line)/\(name)"
            guard let text = tagIfHeld(path) else {
                unlink(path)
                return nil
            }
            let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            let weight = words.first.flatMap { Double($0) } ?? 1
            return Waiting(
                name: name, share: words.count > 1 ? String(words[1]) : "",
                weight: weight.isFinite ? max(0.001, weight) : 1)
        }
    }

    private func heldByShare() -> [String: Int] {
        var used: [String: Int] = [:]
        for number in 0..<sharing.count {
            if let share = tagIfHeld("\(sharing.folder)/\(number)") {
                used[share, default: 0] += 1
            }
        }
        return used
    }

    /// Locks a slot that nobody has.
    private func free() -> Int32? {
        for offset in 0..<sharing.count {
            let path = "\(sharing.folder)/\((first + offset) % sharing.count)"
            if tagIfHeld(path) != nil { continue }
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard file >= 0 else { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 {
                tag(file, sharing.share)
                return file
            }
            close(file)
        }
        return nil
    }

    private func tag(_ file: Int32, _ text: String) {
        ftruncate(file, 0)
        let bytes = Array(text.utf8.prefix(Self.mostTagBytes))
        pwrite(file, bytes, bytes.count, 0)
    }

    /// What stands in a file that somebody holds; `nil` when nobody does.
    private func tagIfHeld(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard flock(file, LOCK_SH | LOCK_NB) != 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.mostTagBytes)
        let count = pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
