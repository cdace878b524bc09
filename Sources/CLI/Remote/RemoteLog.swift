import Compiler
import Executor
import Glibc

/// What a job of a master prints, read as it comes.
///
/// A connection that is lost is made anew at the place that was reached, a bounded number of times
/// without progress.
final class RemoteLog {
    private let master: MasterClient
    private let job: RemoteJob
    /// Attempts in a row that brought nothing.
    private static let mostIdle = 8

    init(_ job: RemoteJob, of master: MasterClient) {
        self.job = job
        self.master = master
    }

    // MARK: Events

    /// What one connection has brought.
    private final class Reading {
        var events = EventStream()
        var place: String?
        var ended: RemoteJob?
        var hasProgress = false
        var problem: String?
    }

    /// Prints the events of the job; gives the job as it ended.
    ///
    /// Without `follows`, the master is asked to end at what there is now.
    func events(
        follows: Bool, where wanted: ((String) -> Bool)? = nil, into printer: RemotePrinter
    ) throws(Failure) -> RemoteJob? {
        var place: String?
        var idle = 0
        while true {
            let reading = Reading()
            reading.place = place
            var call = MasterClient.Call(.get, "jobs", job.id, "logs", "stream")
            call.headers = [("Accept", "text/event-stream")]
            if let place { call.headers.append(("Last-Event-ID", place)) }
            if !follows { call.query = [("follow", "0")] }
            let lost = try read(call, reading, wanted, printer)
            if let problem = reading.problem { throw master.malformed(problem) }
            if let ended = reading.ended {
                printer.finish()
                return ended
            }
            if !follows, lost == nil {
                printer.finish()
                return nil
            }
            place = reading.place
            try again(&idle, hasProgress: reading.hasProgress, lost, printer)
        }
    }

    /// Reads one connection to its end; gives why it ended too early, when that is known.
    private func read(
        _ call: MasterClient.Call, _ reading: Reading, _ wanted: ((String) -> Bool)?,
        _ printer: RemotePrinter
    ) throws(Failure) -> Failure? {
        let result: Result<HTTPHead, Failure>
        do throws(TransferError) {
            result = try master.pieces(call, .stream) { piece in
                reading.events.take(piece) { event in
                    Self.take(event, reading, wanted, printer)
                }
                if reading.events.isBroken { reading.problem = "stream of events" }
                return reading.problem == nil && reading.ended == nil
            }
        } catch {
            if Self.isFinal(error) { throw master.failure(error) }
            return master.failure(error)
        }
        switch result {
        case .success: return nil
        case .failure(let failure):
            // A master that starts again may refuse for a moment.
            if case .environment = failure, reading.place != nil { return failure }
            throw failure
        }
    }

    private static func take(
        _ event: EventStream.Event, _ reading: Reading, _ wanted: ((String) -> Bool)?,
        _ printer: RemotePrinter
    ) -> Bool {
        guard let value = try? JSONValue.parse(event.data) else {
            reading.problem = "stream of events"
            return false
        }
        if event.name == "end" {
            reading.ended = RemoteJob(value)
            if reading.ended == nil { reading.problem = "job" }
            return false
        }
        // Events of names that are not known are of a newer master.
        guard event.name.isEmpty || event.name == "message" || event.name == "log" else {
            return true
        }
        reading.hasProgress = true
        if !event.id.isEmpty, event.id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
            reading.place = event.id
        }
        let step = value["step"]?.text
        if wanted?(step ?? "") ?? true { printer.put(value, step: step) }
        return true
    }

    // MARK: Bytes

    private final class Passed {
        var count = 0
        /// Bytes at the beginning of this answer that were there already.
        var known = 0
    }

    /// Prints what one step printed, byte for byte.
    func bytes(of step: String, follows: Bool, into printer: RemotePrinter) throws(Failure) {
        let passed = Passed()
        var idle = 0
        while true {
            let before = passed.count
            passed.known = before
            var call = MasterClient.Call(.get, "jobs", job.id, "logs")
            call.query = [("step", step)]
            if follows { call.query.append(("follow", "1")) }
            let result: Result<HTTPHead, Failure>
            do throws(TransferError) {
                result = try master.pieces(call, follows ? .stream : .download) { piece in
                    let fresh = piece.dropFirst(passed.known)
                    passed.known -= piece.count - fresh.count
                    passed.count += fresh.count
                    printer.put(bytes: Array(fresh))
                    return true
                }
            } catch {
                if Self.isFinal(error) { throw master.failure(error) }
                let lost = master.failure(error)
                try again(&idle, hasProgress: passed.count > before, lost, printer)
                continue
            }
            if case .failure(let failure) = result { throw failure }
            return printer.finish()
        }
    }

    // MARK: Lost connections

    /// Whether trying again changes nothing.
    private static func isFinal(_ error: TransferError) -> Bool {
        switch error {
        case .unavailable, .untrusted, .refused: true
        case .unreachable, .timedOut, .cut: false
        }
    }

    /// Waits before the next connection, unless too many brought nothing.
    private func again(
        _ idle: inout Int, hasProgress: Bool, _ lost: Failure?, _ printer: RemotePrinter
    ) throws(Failure) {
        idle = hasProgress ? 0 : idle + 1
        guard idle < Self.mostIdle else {
            printer.finish()
            let hint = "The job goes on; `danube logs -f \(job.id)` follows it again."
            guard case .environment(let message, _)? = lost else {
                throw .environment(
                    "\(master.address.text) ends the log of job \(job.id) before the job",
                    hint: hint)
            }
            throw .environment(message, hint: hint)
        }
        if idle == 1 { Output.err("danube: note: the connection is lost; connecting again") }
        MasterClient.sleep(.milliseconds(min(5000, 100 << idle)))
    }
}
