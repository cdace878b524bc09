/// A node of a plan.
package struct Step: Sendable, Equatable {
    /// What the node does.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case run = 0
        case upload = 1
    }

    /// What a run step executes.
    package enum Command: Sendable, Equatable {
        /// A script for `/bin/sh`, verbatim.
        case script(Template)
        /// A program and its arguments.
        case argv([Template])
    }

    /// Stable id: call path, name, matrix coordinates. Unique in a plan.
    package var id: String
    /// What people call it, not empty; the command's first line where no `name=` was given.
    package var name: String
    /// Whether it executes a command or keeps files.
    package var kind: Kind = .run
    /// Empty script for uploads.
    package var command: Command
    /// Empty means the plan's default image.
    package var image = ""
    /// Sorted by name.
    package var env: [EnvVar] = []
    /// Folder that the command starts in, relative to the workspace; empty means the workspace.
    package var workdir = ""
    /// Absent means always.
    package var condition: ConditionIndex?
    /// A failure ends the job; otherwise it is data for conditions.
    package var fatal = true
    /// Whether `check=True` held: an exit code other than 0 raises `StepFailed`.
    package var check = true
    /// Whether standard output is kept as the step's value.
    package var capture = false
    /// Place and call stack of the call; `nil` means unknown.
    package var frame: FrameIndex?
    /// Innermost block that it stands in; `nil` means none.
    package var group: GroupIndex?
    /// Edges to steps that must have ended before: program order, data, condition, `needs=`.
    /// Indices ascend and are smaller than this step's own.
    package var order: [StepIndex] = []
    /// Steps whose output or exit code its command or environment contains.
    package var data: [StepIndex] = []
    /// Steps that its condition asks about.
    package var conditional: [StepIndex] = []
    /// `nil` when `needs` was not given.
    package var needs: [StepIndex]?
    /// Matrix coordinates, sorted by key.
    package var matrix: [Coordinate] = []
    /// Everything that few steps have, kept apart so that many steps stay small.
    package var options: Options?

    /// Creates a step that always runs and ends the job when it fails.
    package init(id: String, name: String, command: Command) {
        self.id = id
        self.name = name
        self.command = command
    }

    /// Settings that few steps have.
    package struct Options: Sendable, Equatable {
        /// Milliseconds; 0 means none given.
        package var timeoutMilliseconds: UInt64 = 0
        /// How it is tried again; `nil` means never.
        package var retry: Retry?
        /// What it needs of a machine; `nil` means no demand.
        package var resources: Resources?
        /// Globs of the files it reads; `nil` when not declared.
        package var inputs: [String]?
        /// Globs of the files it writes; `nil` when not declared.
        package var outputs: [String]?
        /// When its result may be taken from an earlier run.
        package var cache: CachePolicy = .auto
        /// Containers that run beside it, in the order given.
        package var services: [Service] = []
        /// The files that it keeps; `nil` unless the kind is `upload`.
        package var upload: Upload?
        /// The `try` that it cleans up after; `nil` outside of every `finally`.
        package var cleanup: Cleanup?
        /// Creates the settings of a step that gave none.
        package init() {}
    }

    /// The options, or their defaults.
    package var settings: Options { options ?? Options() }
}

extension Plan {
    /// The image that a step runs in; empty for uploads and on the host.
    package func image(of step: Step) -> String {
        step.kind == .upload ? "" : step.image.isEmpty ? defaultImage : step.image
    }
}

/// The steps of the `try` whose `finally`, or of the `with` whose end, a step stands in.
package struct Cleanup: Sendable, Equatable {
    /// The first step after the `try` was entered.
    package var first: StepIndex
    /// The last step before the `finally`.
    package var last: StepIndex
    /// Names a range of steps that is not empty.
    package init(first: StepIndex, last: StepIndex) {
        self.first = first
        self.last = last
    }
}

/// When a step's result is kept.
package enum CachePolicy: UInt8, Sendable {
    /// Cached when inputs and outputs are both declared.
    case auto = 0
    case always = 1
    case never = 2
}

/// A variable of a step's environment.
package struct EnvVar: Sendable, Equatable {
    /// Letters, digits and `_`, not beginning with a digit.
    package var name: String
    /// The text that the step finds in it, put together when the step starts.
    package var value: Template
    /// Gives a variable its value.
    package init(name: String, value: Template) {
        self.name = name
        self.value = value
    }
}

/// One coordinate of a matrix cell.
package struct Coordinate: Sendable, Hashable {
    /// Name of the axis, such as `python`.
    package var key: String
    /// The axis's value in this cell, as text: `3.11`.
    package var value: String
    /// Places a cell on one axis.
    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// How a failed step is tried again.
package struct Retry: Sendable, Equatable {
    /// How many times after the first attempt.
    package var attempts: UInt32
    /// Wait before the second attempt.
    package var delayMilliseconds: UInt64
    /// Factor on the delay after each attempt.
    package var backoff: Double
    /// Exit codes that are tried again; empty means all but 0.
    package var onCodes: [UInt32]
    /// Describes retries; the delay is in milliseconds.
    package init(attempts: UInt32, delayMilliseconds: UInt64, backoff: Double, onCodes: [UInt32]) {
        self.attempts = attempts
        self.delayMilliseconds = delayMilliseconds
        self.backoff = backoff
        self.onCodes = onCodes
    }
}

/// What a step needs of a machine; 0 means not given.
package struct Resources: Sendable, Equatable {
    /// Thousandths of a processor.
    package var cpuMilli: UInt64
    /// Main memory.
    package var memoryBytes: UInt64
    /// Room for the workspace.
    package var diskBytes: UInt64
    /// Whole graphics processors.
    package var gpu: UInt32
    /// Describes a demand; 0 leaves a part open.
    package init(cpuMilli: UInt64, memoryBytes: UInt64, diskBytes: UInt64, gpu: UInt32) {
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
        self.gpu = gpu
    }
}

/// A container that runs beside a step.
package struct Service: Sendable, Equatable {
    /// Host name that the step reaches it under.
    package var name: String
    /// Reference of the container's image.
    package var image: String
    /// Variables of the container, sorted by name.
    package var env: [EnvVar]
    /// TCP ports that it listens on.
    package var ports: [UInt32]
    /// A script that succeeds once the service is ready; empty means none.
    package var ready: Template
    /// Time from the container's start in which `ready` must succeed.
    package var readyTimeoutMilliseconds: UInt64
    /// Describes a container; the time is in milliseconds.
    package init(
        name: String, image: String, env: [EnvVar], ports: [UInt32], ready: Template,
        readyTimeoutMilliseconds: UInt64
    ) {
        self.name = name
        self.image = image
        self.env = env
        self.ports = ports
        self.ready = ready
        self.readyTimeoutMilliseconds = readyTimeoutMilliseconds
    }
}

/// Files that a pipeline keeps.
package struct Upload: Sendable, Equatable {
    /// File, folder or glob, relative to the workspace.
    package var path: Template
    /// Name of the artifact.
    package var name: String
    /// Whether the files are test reports in JUnit's format.
    package var junit: Bool
    /// Describes what is kept of the workspace.
    package init(path: Template, name: String, junit: Bool) {
        self.path = path
        self.name = name
        self.junit = junit
    }
}
