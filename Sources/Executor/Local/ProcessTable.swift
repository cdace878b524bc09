internal import CSandbox
internal import Glibc

/// Runs processes on this machine: starts them, reads what they write, ends them and all that they
/// left behind. Belongs to one thread, the one that made it.
package final class ProcessTable {
    /// What a turn of the loop found.
    package enum Event {
        /// A process wrote something. The bytes are valid only while they are looked at.
        case wrote(slot: Int, OutputStream, UnsafeRawBufferPointer)
        /// A process has ended, all that it wrote was read, and its slot is free.
        case ended(slot: Int, ProcessEnd)
        /// The program got a signal.
        case signalled(Int32)
        /// The descriptor that `watch` was given can be read.
        case woken
    }

    /// Nanoseconds that a process may take to end after SIGTERM.
    package static let grace: UInt64 = 10_000_000_000
    /// Nanoseconds for which output may stay open after all that is known to hold it was killed.
    static let heldGrace: UInt64 = 1_000_000_000
    /// Bytes read at once.
    static let chunkBytes = 1 << 16
    /// Reads in which all that a pipe holds (1 MiB at most, `pipe(7)`) has come.
    private static let mostReads = 32
    private static let signalToken = UInt64.max
    private static let watchToken = UInt64.max - 1

    var slots: [ProcessSlot] = []
    let token: String
    let ownsProgram: Bool
    private let loop: EventLoop
    private let nothing: Int32
    private let signals: Int32
    private var free: [Int] = []
    private let buffer: UnsafeMutableRawBufferPointer

    /// Takes over the program's signals. `token` tells this program's processes from all others;
    /// `ownsProgram` says that the program has no children but those of this table, so that a
    /// child of unknown origin was left behind by a step. It then becomes the parent of all
    /// orphans.
    package init(token: String, ownsProgram: Bool) throws(RunnerError) {
        let loop = try EventLoop()
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        if nothing < 0 { throw .system("open /dev/null", errno: errno) }
        let signals = danube_watch_signals()
        if signals < 0 { throw .system("signalfd", errno: -signals) }
        self.loop = loop
        self.nothing = nothing
        self.signals = signals
        self.token = token
        self.ownsProgram = ownsProgram
        buffer = .allocate(byteCount: Self.chunkBytes, alignment: 16)
        try loop.add(signals, token: Self.signalToken)
        danube_engine_listens()
        // What it is woken for is that a processor has nothing to do.
        danube_thread_is_prompt()
    }

    deinit {
        for slot in slots.indices where slots[slot].isLive {
            kill(-slots[slot].pid, SIGKILL)
            slots[slot].letGo()
        }
        close(nothing)
        close(signals)
        buffer.deallocate()
    }

    /// Reports whenever a descriptor can be read, which its owner then does.
    func watch(_ descriptor: Int32) throws(RunnerError) {
        try loop.add(descriptor, token: Self.watchToken)
    }

    /// Slots of the processes that have not ended.
    package var liveSlots: [Int] { slots.indices.filter { slots[$0].isLive } }

    /// Starts a process and gives its slot.
    package func start(_ order: ProcessOrder) throws(RunnerError) -> Int {
        let output = try Pipe()
        let error = try Pipe()
        try output.readWithoutWaiting()
        try error.readWithoutWaiting()
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(ProcessSlot()) }
        var process = ProcessSlot()
        do {
            let mark = StepMark.variable(job: token, slot: slot)
            try spawn(order, mark: mark, output.writing, error.writing, &process)
        } catch {
            free.append(slot)
            throw error
        }
        process.started = MonotonicClock.now()
        process.deadline = order.timeout == 0 ? nil : process.started &+ order.timeout
        process.output = output.takeReading()
        process.error = error.takeReading()
        process.held = (output.takeWriting(), error.takeWriting())
        slots[slot] = process
        let base = UInt64(slot) << 2
        try loop.add(process.handle, token: base)
        try loop.add(process.output, token: base | UInt64(OutputStream.output.rawValue))
        try loop.add(process.error, token: base | UInt64(OutputStream.error.rawValue))
        return slot
    }

    private func spawn(
        _ order: ProcessOrder, mark: String, _ output: Int32, _ error: Int32,
        _ process: inout ProcessSlot
    ) throws(RunnerError) {
        var script: Int32 = -1
        if let text = order.script {
            script = danube_memory_file(text, text.count)
            if script < 0 { throw .system("memfd_create", errno: -script) }
        }
        defer { if script >= 0 { close(script) } }
        let arguments = CStrings(order.arguments)
        let environment = CStrings(order.environment + [mark])
        var failed: Int32 = 0
        let texts = CStrings(
            [order.search, order.folder] + (order.view.map { [$0.source, $0.path] } ?? []))
        let status = texts.withConstantPointers { text in
            var step = danube_step(
                arguments: arguments.pointers, environment: environment.pointers,
                search: text[0], folder: text[1], input: nothing, output: output, error: error,
                script: script, source: text[2], view: order.view == nil ? nil : text[3])
            return danube_step_start(&step, &process.pid, &process.handle, &failed)
        }
        guard status < 0 else { return }
        switch Int(failed) {
        case DANUBE_STEP_FOLDER: throw .folder(order.folder, errno: -status)
        case DANUBE_STEP_VIEW: throw .system("mount the workspace", errno: -status)
        case DANUBE_STEP_PROGRAM:
            throw .program(order.arguments.first ?? "", errno: -status)
        default: throw .system("clone", errno: -status)
        }
    }

    /// Asks a process to stop, or ends it at once. What it leaves behind ends with it.
    package func stop(_ slot: Int, cause: ProcessEnd.Cause, immediately: Bool) {
        guard slots.indices.contains(slot), slots[slot].isRunning else { return }
        let now = MonotonicClock.now()
        if slots[slot].cause == .itself { slots[slot].cause = cause }
        if immediately || slots[slot].isStopping {
            kill(-slots[slot].pid, SIGKILL)
            slots[slot].deadline = nil
        } else {
            slots[slot].isStopping = true
            slots[slot].deadline = now &+ Self.grace
            kill(-slots[slot].pid, SIGTERM)
            // One that has stopped itself hears nothing until it goes on.
            kill(-slots[slot].pid, SIGCONT)
        }
    }

    /// Waits until something happens or `until` (monotonic nanoseconds) is reached, and reports all
    /// that did.
    package func wait(until: UInt64?, _ report: (Event) -> Void) {
        var ended: [Int] = []
        loop.wait(milliseconds: patience(until)) { token in
            if token == Self.signalToken { return readSignals(report) }
            if token == Self.watchToken { return report(.woken) }
            let slot = Int(token >> 2)
            switch token & 3 {
            case 0:
                if reap(slot) { ended.append(slot) }
            case 1: read(slot, .output, report)
            default: read(slot, .error, report)
            }
        }
        for slot in ended {
            endLeftovers(of: slot)
            drain(slot, .output, report)
            drain(slot, .error, report)
        }
        checkDeadlines()
        for slot in slots.indices where slots[slot].isDone {
            guard let end = slots[slot].end else { continue }
            slots[slot] = ProcessSlot()
            free.append(slot)
            report(.ended(slot: slot, end))
        }
    }

    private func patience(_ until: UInt64?) -> Int32 {
        var next = until
        for slot in slots {
            if let deadline = slot.deadline { next = min(next ?? deadline, deadline) }
        }
        guard let next else { return -1 }
        let now = MonotonicClock.now()
        return next <= now ? 0 : Int32(clamping: (next - now) / 1_000_000 + 1)
    }

    private func readSignals(_ report: (Event) -> Void) {
        while true {
            let number = danube_next_signal(signals)
            if number == 0 { return }
            report(.signalled(number))
        }
    }

    /// Reads once; whether there may be more at once.
    @discardableResult
    private func read(_ slot: Int, _ stream: OutputStream, _ report: (Event) -> Void) -> Bool {
        let file = stream == .output ? slots[slot].output : slots[slot].error
        guard file >= 0 else { return false }
        let count = Glibc.read(file, buffer.baseAddress, buffer.count)
        if count > 0 {
            report(.wrote(slot: slot, stream, UnsafeRawBufferPointer(rebasing: buffer[..<count])))
            return true
        }
        if count < 0, errno == EINTR || errno == EAGAIN { return errno == EINTR }
        shut(slot, stream)
        return false
    }

    /// Reads what is left of an ended process, without another turn of the loop. Whoever still
    /// holds its output and writes on is left to the loop.
    private func drain(_ slot: Int, _ stream: OutputStream, _ report: (Event) -> Void) {
        for _ in 0..<Self.mostReads where !read(slot, stream, report) { return }
    }

    private func shut(_ slot: Int, _ stream: OutputStream) {
        if stream == .output {
            if slots[slot].output >= 0 { close(slots[slot].output) }
            slots[slot].output = -1
        } else {
            if slots[slot].error >= 0 { close(slots[slot].error) }
            slots[slot].error = -1
        }
    }

    /// Reaps a process that has ended.
    private func reap(_ slot: Int) -> Bool {
        let process = slots[slot]
        guard process.isRunning else { return false }
        var usage = danube_usage()
        var status: Int32 = 0
        let result = danube_step_reap(process.pid, &usage, &status)
        if result == -EAGAIN { return false }
        loop.remove(process.handle)
        close(process.handle)
        slots[slot].handle = -1
        slots[slot].letGo()
        let signal = result < 0 ? SIGKILL : danube_status_signal(status)
        var end = ProcessEnd(
            code: signal != 0 ? 128 + signal : danube_status_code(status), signal: signal,
            cause: process.cause)
        end.nanoseconds = MonotonicClock.now() &- process.started
        end.processorMicroseconds = usage.user_microseconds + usage.system_microseconds
        end.peakKilobytes = usage.peak_kilobytes
        slots[slot].end = end
        slots[slot].deadline =
            process.output < 0 && process.error < 0 ? nil : MonotonicClock.now() &+ Self.heldGrace
        return true
    }

    private func checkDeadlines() {
        for slot in slots.indices {
            guard let deadline = slots[slot].deadline, deadline <= MonotonicClock.now() else {
                continue
            }
            slots[slot].deadline = nil
            if slots[slot].isRunning {
                stop(slot, cause: .timeout, immediately: slots[slot].isStopping)
            } else {
                slots[slot].end?.outputHeld = true
                shut(slot, .output)
                shut(slot, .error)
            }
        }
    }
}
