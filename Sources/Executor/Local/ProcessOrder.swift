/// One process to run for an attempt.
package struct ProcessOrder {
    /// Program and arguments.
    package var arguments: [String]
    /// All variables, `NAME=value`; nothing is inherited.
    package var environment: [String]
    /// Folders in which a program without `/` is looked up, separated by colons.
    package var search: String
    /// Absolute path of the folder it runs in.
    package var folder: String
    /// A folder that the process sees at another place too, where it differs from what all others
    /// see there.
    package var view: View?
    /// Text that the process can read from descriptor 3, in memory and in no argument.
    package var script: [UInt8]?
    /// Nanoseconds after which it is stopped; 0 means never.
    package var timeout: UInt64 = 0

    /// A folder and the path at which a process sees it.
    package struct View: Sendable, Equatable {
        /// Absolute path of the folder.
        package var source: String
        /// Absolute path of a folder that is there, which it hides.
        package var path: String
    }

    /// Creates an order to run a program without a time limit.
    package init(arguments: [String], environment: [String], search: String, folder: String) {
        self.arguments = arguments
        self.environment = environment
        self.search = search
        self.folder = folder
    }
}

/// Which of its two outputs a process wrote to.
package enum OutputStream: UInt8, Sendable {
    case output = 1
    case error = 2
}

/// How a process ended.
package struct ProcessEnd: Sendable, Equatable {
    /// What ended it.
    package enum Cause: Sendable, Equatable {
        /// It ended by itself, or somebody else ended it.
        case itself
        /// It took longer than it may.
        case timeout
        /// It was asked to stop.
        case stopped
    }
    /// Exit code; 128 and the signal's number where a signal ended it, as shells say it.
    package var code: Int32
    /// The signal that ended it, or 0.
    package var signal: Int32
    /// What ended it.
    package var cause: Cause
    /// Nanoseconds of the monotonic clock between start and end.
    package var nanoseconds: UInt64
    /// Microseconds of processor time, of it and of those of its children that it waited for.
    package var processorMicroseconds: Int64
    /// Most kilobytes of memory that one of its processes had.
    package var peakKilobytes: Int64
    /// Processes that it left behind and that were ended.
    package var strays: Int
    /// Whether something that cannot be ended keeps its output open.
    package var outputHeld: Bool

    /// Creates the end of a process by itself.
    package init(code: Int32, signal: Int32 = 0, cause: Cause = .itself) {
        self.code = code
        self.signal = signal
        self.cause = cause
        nanoseconds = 0
        processorMicroseconds = 0
        peakKilobytes = 0
        strays = 0
        outputHeld = false
    }
}
