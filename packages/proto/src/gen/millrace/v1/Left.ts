// Original file: protos/executor.proto


export interface Left {
}

export interface Left__Output {
}
